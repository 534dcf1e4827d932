// What a VMM can make us allocate is accounted to it: GFP_KERNEL_ACCOUNT, or a cache that is
// SLAB_ACCOUNT. Looked for by the flags, so that no allocator is forgotten, and by name where
// an allocator takes no flags. Left out: functions marked __init, which only a module's load
// reaches. (memdup_user() is not on the list: its copies end with the ioctl.)
@initialize:python@
@@
def at_load(place):
    with open(place.file) as f:
        return "__init %s(" % place.current_element in f.read()

def report(place, what):
    if not at_load(place):
        print("%s:%s: %s: %s" % (place.file, place.line, place.current_element, what))

@accounted@
position p;
expression c;
@@
(
\(GFP_KERNEL@p\|GFP_ATOMIC@p\|GFP_NOWAIT@p\|GFP_NOIO@p\|GFP_NOFS@p\|GFP_USER@p\|GFP_HIGHUSER@p\) | __GFP_ACCOUNT
|
kmem_cache_alloc(c, GFP_KERNEL@p)
|
kmem_cache_zalloc(c, GFP_KERNEL@p)
)

@plain@
position p != accounted.p;
@@
\(GFP_KERNEL@p\|GFP_ATOMIC@p\|GFP_NOWAIT@p\|GFP_NOIO@p\|GFP_NOFS@p\|GFP_USER@p\|GFP_HIGHUSER@p\)

@script:python@
p << plain.p;
@@
report(p[0], "allocation is not accounted")

@noflags@
position p;
identifier f =~ "^(v[mz]alloc(_node|_user|_32)?|alloc_percpu)$";
@@
f@p(...)

@script:python@
p << noflags.p;
f << noflags.f;
@@
report(p[0], "%s() does not account" % f)

@cache@
position p;
expression flags;
expression list[3] before;
expression list after;
@@
kmem_cache_create@p(before, flags, after)

@script:python@
p << cache.p;
flags << cache.flags;
@@
if "SLAB_ACCOUNT" not in flags:
    print("%s:%s: %s: the cache is not SLAB_ACCOUNT" % (p[0].file, p[0].line, p[0].current_element))
