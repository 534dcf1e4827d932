// slots_read_lock() is undone before every return.
@r exists@
expression vm;
local idexpression idx;
position p;
@@
idx = slots_read_lock(vm);
... when != slots_read_unlock(vm, idx)
return@p ...;
@script:python@
p << r.p;
@@
print("%s:%s: return without slots_read_unlock()" % (p[0].file, p[0].line))
