(component
 (core module $m (import "a" "f" (func)))
 (core module $n)
 (alias core export 0 "f" (core func))
 (core instance (export "f" (func 0)))
 (core instance (instantiate $m (with "a" (instance 0)))))
