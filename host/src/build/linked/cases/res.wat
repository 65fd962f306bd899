(component
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r)) (core func $rep (canon resource.rep $r)) (core func $drop (canon resource.drop $r))
  (core module $m (import "r" "new" (func $n (param i32) (result i32))) (func (export "mk") (result i32) (call $n (i32.const 55))))
  (core module $l (import "r" "rep" (func $rep (param i32) (result i32))) (import "r" "drop" (func $d (param i32))) (import "m" "mk" (func $mk (result i32))) (func (export "run") (result i32) (local i32) (local.set 0 (call $mk)) (call $rep (local.get 0)) (call $d (local.get 0))))
  (core instance $rr (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop)))
  (core instance $m (instantiate $m (with "r" (instance $rr))))
  (core instance $l (instantiate $l (with "m" (instance $m)) (with "r" (instance $rr))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
