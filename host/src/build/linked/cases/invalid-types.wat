(component
  (core module $m (func (export "f") (param i32) (result i32) (i32.const 5)))
  (core module $l (import "m" "f" (func $f (param i32 i32) (result i32))) (func (export "run") (result i32) (i32.const 1) (call $f (i32.const 1) (i32.const 2)) (return)))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
