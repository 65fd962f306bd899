(component
  (core module $m (memory (export "mem") 1) (table (export "t") 2 funcref) (func $f) (elem (i32.const 2) func $f))
  (core module $l (import "m" "mem" (memory 1)) (func (export "run") (result i32) (i32.const 1)))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
