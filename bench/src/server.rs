//! The servers without protection that the bench runs itself, each as a process of its own.

pub(crate) mod native;
