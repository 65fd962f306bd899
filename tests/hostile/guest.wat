;; A guest of the world bailiwick:tool/tool@0.1.0, by hand, with gaps.
;;
;; With the usual text in its gaps it is a good guest: one tool without arguments that answers
;; "ok". A hostile guest is the same text with something else in one gap or two. A gap is a name
;; in double braces; README.md says what belongs into each.
;;
;; Memory, as the usual text has it:
;;     1024 ..   2048   texts
;;     2048 ..   4096   what `call` returns
;;     4096 ..   8192   what host functions return
;;    65536 .. 262144   what `describe` returns
;;   262144 ..          handed out by cabi_realloc, never taken back
(component
  (import "bailiwick:tool/identity@0.1.0" (instance $identity
    (type $actor-kind' (enum "user" "service"))
    (export "actor-kind" (type $actor-kind (eq $actor-kind')))
    (type $actor' (record
      (field "kind" $actor-kind) (field "sub" string) (field "iss" string) (field "tenant" (option string))
      (field "acr" (option string)) (field "auth-time" (option u64))))
    (export "actor" (type $actor (eq $actor')))
    (type $prior-actor' (record (field "sub" string) (field "iss" (option string))))
    (export "prior-actor" (type $prior-actor (eq $prior-actor')))
    (type $agent' (record
      (field "type" string) (field "id" string) (field "client-id" string)
      (field "prior-actors" (list $prior-actor))))
    (export "agent" (type $agent (eq $agent')))
    (type $session' (record (field "id" string) (field "source" string) (field "trace-id" string)))
    (export "session" (type $session (eq $session')))
    (type $confidence' (enum "verified" "estimated"))
    (export "confidence" (type $confidence (eq $confidence')))
    (type $authorization' (record (field "scopes" (list string)) (field "confidence" $confidence)))
    (export "authorization" (type $authorization (eq $authorization')))
    (type $mode' (enum "service-identity" "on-behalf-of" "restricted-user"))
    (export "delegation-mode" (type $mode (eq $mode')))
    (type $delegation' (record
      (field "mode" $mode) (field "allowed" (list string)) (field "modes" (list (tuple string $mode)))))
    (export "delegation" (type $delegation (eq $delegation')))
    (type $call' (record
      (field "id" string) (field "tool" string) (field "component" string) (field "arguments" string)))
    (export "call" (type $call (eq $call')))
    (type $meta' (record
      (field "created-at" u64) (field "expires-at" u64) (field "kid" string) (field "signature" string)))
    (export "meta" (type $meta (eq $meta')))
    (type $envelope' (record
      (field "actor" $actor) (field "agent" $agent) (field "session" $session)
      (field "authorization" $authorization) (field "delegation" $delegation) (field "call" $call)
      (field "meta" $meta) (field "json" string)))
    (export "envelope" (type $envelope (eq $envelope')))))
  (alias export $identity "envelope" (type $envelope))

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
    ;; describe: list<definition>, a pointer and a length, then 84 bytes for each.
{{definitions}}
    ;; call: result<outcome, tool-error>: ok, complete, one content, nothing else.
    (data (i32.const 1024) "ok")
    (data (i32.const 2048) (i32 0 0) (i32 2112 1) (i32 0 0 0) (i32 0) (i32 0 0 0))
    ;; content, 56 bytes: text.
    (data (i32.const 2112) (i32 0) (i32 1024 2) (i32 0 0 0))
    (func $describe (result i32)
{{describe}}
      (i32.const 65536))
    (func $call (param $arguments i32) (result i32)
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
  (type $context (record
    (field "identity" $envelope) (field "input" string) (field "answers" (list (tuple string string)))
    (field "state" (option (list u8)))))
  (export $context' "tool-context" (type $context))
  (type $text (record (field "text" string) (field "meta" (option string))))
  (export $text' "text-content" (type $text))
  (type $media (record (field "data" (list u8)) (field "mime-type" string) (field "meta" (option string))))
  (export $media' "media-content" (type $media))
  (type $link (record
    (field "uri" string) (field "name" string) (field "description" (option string))
    (field "mime-type" (option string)) (field "meta" (option string))))
  (export $link' "resource-link" (type $link))
  (type $body (variant (case "text" string) (case "blob" (list u8))))
  (export $body' "resource-body" (type $body))
  (type $embedded (record
    (field "uri" string) (field "mime-type" (option string)) (field "body" $body') (field "meta" (option string))))
  (export $embedded' "embedded-resource" (type $embedded))
  (type $content (variant
    (case "text" $text') (case "image" $media') (case "audio" $media') (case "resource-link" $link')
    (case "embedded-resource" $embedded')))
  (export $content' "content" (type $content))
  (type $output (record
    (field "content" (list $content')) (field "structured" (option string)) (field "is-error" bool)
    (field "meta" (option string))))
  (export $output' "output" (type $output))
  (type $question (variant (case "form" (tuple string string)) (case "other" (tuple string string))))
  (export $question' "question" (type $question))
  (type $input-request (record
    (field "questions" (list (tuple string $question'))) (field "state" (option (list u8)))))
  (export $input-request' "input-request" (type $input-request))
  (type $outcome (variant (case "complete" $output') (case "input-required" $input-request')))
  (export $outcome' "outcome" (type $outcome))
  (type $tool-error (variant
    (case "invalid-input" string) (case "forbidden" string) (case "not-found" string)
    (case "unavailable" string) (case "failed" string)))
  (export $tool-error' "tool-error" (type $tool-error))

  (func $describe (result (list $definition'))
    (canon lift (core func $main "describe") (memory $memory) (realloc $realloc)
      (post-return (core func $main "after-describe"))))
  (func $call (param "tool" string) (param "context" $context') (result (result $outcome' (error $tool-error')))
    (canon lift (core func $main "call") (memory $memory) (realloc $realloc){{call-options}}
      (post-return (core func $main "after-call"))))
  (instance $tools
    (export "describe" (func $describe))
    (export "call" (func $call)))
{{exports}})
