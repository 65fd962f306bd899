(component
  (core module $m (memory 1) (memory (export "mem2") 1) (global (export "v") v128 (v128.const i32x4 1 2 3 4)) (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
  (core module $l (import "m" "v" (global $v v128)) (import "m" "mem2" (memory $p 1)) (import "m" "f" (func $f (param i32) (result i32))) (memory $q 2)
     (func $g (param i32) (result i32) (return_call $f (local.get 0)))
     (func (export "run") (result i32) (v128.store $p offset=16 (i32.const 0) (global.get $v)) (memory.copy $q $p (i32.const 0) (i32.const 16) (i32.const 16)) 
       (call $g (i32.add (i32.mul (memory.size $q) (i32.const 100)) (i32x4.extract_lane 2 (v128.load $q (i32.const 0)))))))
  (core instance $m (instantiate $m))
  (core instance $l (instantiate $l (with "m" (instance $m))))
  (func (export "run") (result u32) (canon lift (core func $l "run"))))
