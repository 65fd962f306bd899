;; A guest that looks for what others left behind, and leaves something itself.
;;
;; Each hunt counts what is not as the text below says: memory but for sixteen bytes is zero, the
;; table but for one element is empty, globals have their first values, locals are zero. Memory and
;; table are grown first, so that what lay beyond the end is seen too.
(component
  (core module $m
    (memory 1)
    (data (i32.const 1024) "sixteen letters.")
    (table $t 100 funcref)
    (elem (table $t) (i32.const 3) func $marker)
    (global $number (mut i64) (i64.const 7))
    (global $vector (mut v128) (v128.const i64x2 0 0))
    (func $marker)

    (func $hunt-memory (param $pages i32) (result i64)
      (local $at i32) (local $end i32) (local $hits i64)
      (drop (memory.grow (i32.sub (local.get $pages) (memory.size))))
      (local.set $end (i32.mul (memory.size) (i32.const 65536)))
      (if (i64.ne (i64.load (i32.const 1024)) (i64.const 0x206e656574786973))
        (then (local.set $hits (i64.const 1))))
      (i64.store (i32.const 1024) (i64.const 0))
      (i64.store (i32.const 1032) (i64.sub (i64.load (i32.const 1032)) (i64.const 0x2e7372657474656c)))
      (loop $more
        (if (v128.any_true (v128.or
              (v128.or (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))
              (v128.or (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at)))))
          (then (local.set $hits (i64.add (local.get $hits) (i64.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $more (i32.lt_u (local.get $at) (local.get $end))))
      (local.get $hits))

    (func $hunt-table (param $elements i32) (result i64)
      (local $at i32) (local $hits i64)
      (drop (table.grow $t (ref.null func) (i32.sub (local.get $elements) (table.size $t))))
      (if (ref.is_null (table.get $t (i32.const 3))) (then (local.set $hits (i64.const 1))))
      (table.set $t (i32.const 3) (ref.null func))
      (loop $more
        (if (i32.eqz (ref.is_null (table.get $t (local.get $at))))
          (then (local.set $hits (i64.add (local.get $hits) (i64.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $at) (table.size $t))))
      (local.get $hits))

    (func $hunt-globals (result i64)
      (i64.extend_i32_u (i32.or
        (i64.ne (global.get $number) (i64.const 7))
        (v128.any_true (global.get $vector)))))

    ;; Locals that were never set, in frames where others had theirs.
    (func $hunt-stack (param $depth i32) (result i64)
      (local $a i64) (local $b v128) (local $c i64) (local $d v128) (local $e f64) (local $f i64)
      (local $below i64)
      (if (local.get $depth)
        (then (local.set $below (call $hunt-stack (i32.sub (local.get $depth) (i32.const 1))))))
      (i64.add (local.get $below) (i64.extend_i32_u (i32.or
        (i64.ne (i64.or (i64.or (local.get $a) (local.get $c)) (local.get $f)) (i64.const 0))
        (i32.or (f64.ne (local.get $e) (f64.const 0)) (v128.any_true (v128.or (local.get $b) (local.get $d))))))))

    ;; Sixteen bits for each place.
    (func $hits (param i64) (result i64)
      (select (local.get 0) (i64.const 0xffff) (i64.lt_u (local.get 0) (i64.const 0xffff))))
    (func (export "hunt") (param $pages i32) (param $elements i32) (result i64)
      (local $hits i64)
      (local.set $hits (i64.or
        (i64.or
          (call $hits (call $hunt-memory (local.get $pages)))
          (i64.shl (call $hits (call $hunt-table (local.get $elements))) (i64.const 16)))
        (i64.or
          (i64.shl (call $hits (call $hunt-globals)) (i64.const 32))
          (i64.shl (call $hits (call $hunt-stack (i32.const 100))) (i64.const 48)))))
      ;; A hunt that did not get to see everything does not count.
      (if (i32.or (i32.ne (memory.size) (local.get $pages)) (i32.ne (table.size $t) (local.get $elements)))
        (then unreachable))
      (local.get $hits))

    (func $stack (param $depth i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i64)
      (if (result i64) (local.get $depth)
        (then (i64.add
          (call $stack (i32.sub (local.get $depth) (i32.const 1))
            (local.get $b) (local.get $c) (local.get $d) (local.get $a))
          (i64.xor (i64.xor (local.get $a) (local.get $b)) (i64.xor (local.get $c) (local.get $d)))))
        (else (local.get $a))))

    (func $leave (export "leave") (param $a i64) (param $b i64)
      (local $have i32) (local $end i32)
      (i64.store (i32.const 0) (local.get $a))
      (i64.store (i32.const 8) (local.get $b))
      (local.set $have (i32.const 16))
      (local.set $end (i32.mul (memory.size) (i32.const 65536)))
      (loop $more
        (memory.copy (local.get $have) (i32.const 0)
          (select (local.get $have) (i32.sub (local.get $end) (local.get $have))
            (i32.lt_u (local.get $have) (i32.sub (local.get $end) (local.get $have)))))
        (local.set $have (i32.mul (local.get $have) (i32.const 2)))
        (br_if $more (i32.lt_u (local.get $have) (local.get $end))))
      (table.fill $t (i32.const 0) (ref.func $marker) (table.size $t))
      (global.set $number (local.get $a))
      (global.set $vector (i64x2.splat (local.get $b)))
      (drop (call $stack (i32.const 200) (local.get $a) (local.get $b) (local.get $a) (local.get $b))))

    (func (export "leave-and-trap") (param i64 i64)
      (call $leave (local.get 0) (local.get 1))
      unreachable)
    (func (export "leave-and-linger") (param i64 i64)
      (call $leave (local.get 0) (local.get 1))
      (loop (br 0))))
  (core instance $m (instantiate $m))
  (func (export "hunt") (param "pages" u32) (param "elements" u32) (result u64) (canon lift (core func $m "hunt")))
  (func (export "leave") (param "a" u64) (param "b" u64) (canon lift (core func $m "leave")))
  (func (export "leave-and-trap") (param "a" u64) (param "b" u64)
    (canon lift (core func $m "leave-and-trap")))
  (func (export "leave-and-linger") (param "a" u64) (param "b" u64)
    (canon lift (core func $m "leave-and-linger"))))
