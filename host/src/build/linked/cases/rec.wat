(component
  (core module $m (rec (type $a (func (result i32))) (type $b (func))) (table (export "t") 2 funcref) (func $f (type $a) (i32.const 4)) (elem (i32.const 0) func $f))
  (core module $l (type $a (func (result i32))) (import "m" "t" (table $t 2 funcref))
     (func (export "run") (result i32) (call_indirect (type $a) (i32.const 0))))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
