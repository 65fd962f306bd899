(component
  (core module $m (type $r (func (result i32))) (type $x (func (param (ref $r)) (result i32))) (table (export "t") 2 (ref null $r)) (func (export "ap") (type $x) (call_ref $r (local.get 0))))
  (core module $l (type $z (func (param f32))) (type $r (func (result i32))) (type $x (func (param (ref $r)) (result i32))) (import "m" "t" (table $t 2 (ref null $r))) (import "m" "ap" (func $ap (type $x)))
     (elem (table $t) (i32.const 1) (ref null $r) (ref.func $s)) (elem declare func $s) (func $s (result i32) (i32.const 9))
     (func (export "run") (result i32) (i32.add (call $ap (ref.as_non_null (table.get $t (i32.const 1)))) (call $ap (ref.func $s)))))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
