(component
  (core module $m (global (export "g") i64 (i64.const 7)) (global (export "f") funcref (ref.func $f)) (func $f (export "ff") (result i32) (i32.const 3)))
  (core module $l (import "m" "g" (global $g i64)) (global $h i64 (global.get $g)) (func (export "run") (result i32) (i32.wrap_i64 (global.get $h))))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
