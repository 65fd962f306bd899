
  ;; What a guest offers beside its tool, as `Guest::offers` fills the gaps of guest.wat.
  (alias export $types "content" (type $content))
  (alias export $types "embedded-resource" (type $embedded-resource))

  (type $resource-definition (record
    (field "uri" string) (field "name" string) (field "title" (option string))
    (field "description" (option string)) (field "mime-type" (option string))
    (field "scopes" (list string)) (field "services" (list string)) (field "meta" (option string))))
  (export $resource-definition' "resource-definition" (type $resource-definition))
  (type $item (record
    (field "uri" string) (field "name" string) (field "title" (option string))
    (field "description" (option string)) (field "size" (option u64)) (field "meta" (option string))))
  (export $item' "item" (type $item))
  (type $page (record (field "items" (list $item')) (field "next" (option string))))
  (export $page' "page" (type $page))
  (type $reading (variant (case "complete" (list $embedded-resource)) (case "input-required" $input-request)))
  (export $reading' "reading" (type $reading))
  (func $describe-resources (result (list $resource-definition'))
    (canon lift (core func $main "describe-resources") (memory $memory) (realloc $realloc)))
  (func $members (param "family" string) (param "context" $context) (result (result $page' (error $tool-error)))
    (canon lift (core func $main "members") (memory $memory) (realloc $realloc)))
  (func $read (param "definition" string) (param "context" $context) (result (result $reading' (error $tool-error)))
    (canon lift (core func $main "read") (memory $memory) (realloc $realloc)))
  (instance $resources
    (export "describe" (func $describe-resources)) (export "members" (func $members))
    (export "read" (func $read)))

  (type $argument (record
    (field "name" string) (field "title" (option string)) (field "description" (option string))
    (field "required" bool)))
  (export $argument' "argument" (type $argument))
  (type $prompt-definition (record
    (field "name" string) (field "title" (option string)) (field "description" string)
    (field "arguments" (list $argument')) (field "scopes" (list string)) (field "services" (list string))
    (field "meta" (option string))))
  (export $prompt-definition' "prompt-definition" (type $prompt-definition))
  (type $role (enum "user" "assistant"))
  (export $role' "role" (type $role))
  (type $message (record (field "role" $role') (field "content" $content)))
  (export $message' "message" (type $message))
  (type $prompt (record
    (field "description" (option string)) (field "messages" (list $message')) (field "meta" (option string))))
  (export $prompt' "prompt" (type $prompt))
  (type $getting (variant (case "complete" $prompt') (case "input-required" $input-request)))
  (export $getting' "getting" (type $getting))
  (func $describe-prompts (result (list $prompt-definition'))
    (canon lift (core func $main "describe-prompts") (memory $memory) (realloc $realloc)))
  (func $get (param "name" string) (param "context" $context) (result (result $getting' (error $tool-error)))
    (canon lift (core func $main "get") (memory $memory) (realloc $realloc)))
  (instance $prompts
    (export "describe" (func $describe-prompts)) (export "get" (func $get)))

  (type $reference (variant
    (case "prompt" string) (case "family" string) (case "other" (tuple string string))))
  (export $reference' "reference" (type $reference))
  (type $suggestions (record
    (field "values" (list string)) (field "total" (option u64)) (field "more" bool)))
  (export $suggestions' "suggestions" (type $suggestions))
  (func $complete
    (param "of" $reference') (param "argument" string) (param "value" string) (param "context" $context)
    (result (result $suggestions' (error $tool-error)))
    (canon lift (core func $main "complete") (memory $memory) (realloc $realloc)))
  (instance $completion (export "complete" (func $complete)))

  (type $subject (variant (case "tool" string) (case "prompt" string) (case "resource" string)))
  (export $subject' "subject" (type $subject))
  (func $describe-facets (result (list (tuple $subject' (list (tuple string string)))))
    (canon lift (core func $main "describe-facets") (memory $memory) (realloc $realloc)))
  (instance $facets (export "describe" (func $describe-facets)))
