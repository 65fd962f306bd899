(component
  (core module $m (global (export "f") funcref (ref.func $f)) (func $f (export "ff") (result i32) (i32.const 3)) (table (export "t") 4 funcref))
  (core module $l (import "m" "f" (global $g funcref)) (import "m" "t" (table 4 funcref)) (elem (i32.const 1) funcref (global.get $g)) (func (export "run") (result i32) (call_indirect (result i32) (i32.const 1))))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
