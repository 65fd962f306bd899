//! One configuration that is good, and what each change to it is told.
