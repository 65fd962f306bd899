(component
  (core module $m (memory (export "mem") 1) (func (export "f") (result i32) (i32.const 5)))
  (core module $l (import "h" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))
  (core instance $m (instantiate $m))
  (func $ff (result u32) (canon lift (core func $m "f")))
  (core func $low (canon lower (func $ff)))
  (core instance $l (instantiate $l (with "h" (instance (export "f" (func $low))))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
