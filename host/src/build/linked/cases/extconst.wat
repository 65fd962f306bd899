(component
  (core module $m (memory (export "mem") 1) (global (export "g") i32 (i32.const -2147483648)) (global (export "h") i32 (i32.const -2147483640)))
  (core module $l (import "m" "mem" (memory 1)) (import "m" "g" (global $g i32)) (import "m" "h" (global $h i32))
    (data (i32.add (global.get $g) (global.get $h)) "\2a") (global $s i32 (i32.add (i32.const 1) (i32.add (global.get $g) (global.get $h))))
   (func (export "run") (result i32) (i32.add (global.get $s) (i32.load8_u (i32.const 8)))))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
