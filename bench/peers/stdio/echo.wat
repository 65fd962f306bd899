;; `echo`, for hosts that make a tool of each function that a component exports.
(component
  (core module $m
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      global.get $free
      local.set $at
      (global.set $free (i32.add (local.get $at) (local.get $size)))
      local.get $at)
    ;; Returns the place of a pointer and a length: those of the message.
    (func (export "echo") (param $message i32) (param $length i32) (result i32)
      (i32.store (i32.const 16) (local.get $message))
      (i32.store (i32.const 20) (local.get $length))
      i32.const 16))
  (core instance $i (instantiate $m))
  (func (export "echo") (param "message" string) (result string)
    (canon lift (core func $i "echo")
      (memory (core memory $i "memory"))
      (realloc (core func $i "cabi_realloc")))))
