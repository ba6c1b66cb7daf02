"""The default pool behind the package's functions: there is nothing to set up."""

import antspy

print(antspy.submit(pow, 2, 10).result())
for name in ("ant", "bee", "wasp"):
    antspy.go(print, name)
antspy.wait()
print(f"capacity {antspy.capacity()}, running {antspy.running()}, free {antspy.free()}")
assert antspy.capacity() == 2147483647
assert antspy.default_pool().submit(len, "ants").result() == 4
antspy.release(timeout=10)
antspy.reboot()
print(list(antspy.map(abs, [-1, 2, -3])))
