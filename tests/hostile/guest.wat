;; A guest of the world bailiwick:tool/tool@0.2.0, by hand, with gaps.
;;
;; With the usual text in its gaps it is a good guest: one tool without arguments that answers
;; "ok". A hostile guest is the same text with something else in one gap or two. A gap is a name
;; in double braces; README.md says what belongs into each.
;;
;; Memory, as the usual text has it:
;;     1024 ..   2048   texts
;;     2048 ..   4096   what `call` returns
;;     4096 ..   8192   what host functions return
;;    16384 ..  65536   what functions of other interfaces return
;;    65536 .. 262144   what `describe` returns
;;   262144 ..          handed out by cabi_realloc, never taken back
(component
  (import "bailiwick:tool/types@0.2.0" (instance $types
    (type $context' (record
      (field "input" string) (field "answers" (list (tuple string string)))
      (field "state" (option (list u8)))))
    (export "context" (type $context (eq $context')))
    (type $text' (record (field "text" string) (field "meta" (option string))))
    (export "text-content" (type $text (eq $text')))
    (type $media' (record
      (field "data" (list u8)) (field "mime-type" string) (field "meta" (option string))))
    (export "media-content" (type $media (eq $media')))
    (type $link' (record
      (field "uri" string) (field "name" string) (field "description" (option string))
      (field "mime-type" (option string)) (field "meta" (option string))))
    (export "resource-link" (type $link (eq $link')))
    (type $body' (variant (case "text" string) (case "blob" (list u8))))
    (export "resource-body" (type $body (eq $body')))
    (type $embedded' (record
      (field "uri" string) (field "mime-type" (option string)) (field "body" $body)
      (field "meta" (option string))))
    (export "embedded-resource" (type $embedded (eq $embedded')))
    (type $content' (variant
      (case "text" $text) (case "image" $media) (case "audio" $media) (case "resource-link" $link)
      (case "embedded-resource" $embedded)))
    (export "content" (type $content (eq $content')))
    (type $output' (record
      (field "content" (list $content)) (field "structured" (option string)) (field "is-error" bool)
      (field "meta" (option string))))
    (export "output" (type $output (eq $output')))
    (type $question' (variant (case "form" (tuple string string)) (case "other" (tuple string string))))
    (export "question" (type $question (eq $question')))
    (type $input-request' (record
      (field "questions" (list (tuple string $question))) (field "state" (option (list u8)))))
    (export "input-request" (type $input-request (eq $input-request')))
    (type $error' (variant
      (case "invalid-input" string) (case "forbidden" string) (case "not-found" string)
      (case "unavailable" string) (case "failed" string)))
    (export "error" (type $error (eq $error')))))
  (alias export $types "context" (type $context))
  (alias export $types "output" (type $output))
  (alias export $types "input-request" (type $input-request))
  (alias export $types "error" (type $tool-error))

{{imports}}

  ;; Memory and its allocator are a module of their own, so that host functions can be given to $main.
  (core module $heap
{{memory}}
    (global $next (mut i32) (i32.const 262144))
    (func $take (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
{{realloc}}
      (local.set $at
        (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (if (i32.lt_u (i32.mul (memory.size) (i32.const 65536)) (global.get $next))
        (then
          (if (i32.eq (i32.const -1)
                (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536)))))
            (then unreachable))))
      (local.get $at))
    (export "cabi_realloc" (func $take)))
  (core instance $heap (instantiate $heap))
  (alias core export $heap "memory" (core memory $memory))
  (alias core export $heap "cabi_realloc" (core func $realloc))

{{lowered}}

  (core module $main
    (import "heap" "memory" (memory 1))
    (import "heap" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
{{main-imports}}
{{main}}
{{offers-main}}
{{offers-data}}
    ;; describe: list<definition>, a pointer and a length, then 84 bytes for each.
{{definitions}}
    ;; call: result<outcome, error>: ok, complete, one content, nothing else.
    (data (i32.const 1024) "ok")
    (data (i32.const 2048) (i32 0 0) (i32 2112 1) (i32 0 0 0) (i32 0) (i32 0 0 0))
    ;; content, 56 bytes: text.
    (data (i32.const 2112) (i32 0) (i32 1024 2) (i32 0 0 0))
    (func $describe (result i32)
{{describe}}
      (i32.const 65536))
    ;; The tool, the input, the answers and the state: pointers and lengths.
    (func $call
      (param $tool i32) (param $tool-len i32) (param $input i32) (param $input-len i32)
      (param $answers i32) (param $answers-len i32)
      (param $with-state i32) (param $state i32) (param $state-len i32) (result i32)
{{call}}
      (i32.const 2048))
    (func $after-describe (param i32)
{{after-describe}})
    (func $after-call (param i32)
{{after-call}})
    (export "describe" (func $describe))
    (export "call" (func $call))
    (export "after-describe" (func $after-describe))
    (export "after-call" (func $after-call)))
  (core instance $main (instantiate $main
    (with "heap" (instance $heap))
{{main-with}}))

{{more}}

  (type $annotations (record
    (field "read-only" (option bool)) (field "destructive" (option bool)) (field "idempotent" (option bool))
    (field "open-world" (option bool))))
  (export $annotations' "annotations" (type $annotations))
  (type $definition (record
    (field "name" string) (field "title" (option string)) (field "description" string)
    (field "input-schema" string) (field "output-schema" (option string)) (field "annotations" $annotations')
    (field "scopes" (list string)) (field "services" (list string)) (field "meta" (option string))))
  (export $definition' "definition" (type $definition))
  (type $outcome (variant (case "complete" $output) (case "input-required" $input-request)))
  (export $outcome' "outcome" (type $outcome))

  (func $describe (result (list $definition'))
    (canon lift (core func $main "describe") (memory $memory) (realloc $realloc)
      (post-return (core func $main "after-describe"))))
  (func $call (param "tool" string) (param "context" $context) (result (result $outcome' (error $tool-error)))
    (canon lift (core func $main "call") (memory $memory) (realloc $realloc){{call-options}}
      (post-return (core func $main "after-call"))))
  (instance $tools
    (export "describe" (func $describe))
    (export "call" (func $call)))
{{offers}}
{{exports}})
