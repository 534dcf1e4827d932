// What a VMM can make us allocate is accounted: no bare GFP_KERNEL below fd/, mm/ and the
// parts of a vCPU. Allocations at module load are in vmx/, which this rule leaves out.
@r@
expression size, x;
position p;
@@
(
kzalloc@p(size, GFP_KERNEL)
|
kmalloc@p(size, GFP_KERNEL)
|
kvmalloc@p(size, GFP_KERNEL)
|
kcalloc@p(x, size, GFP_KERNEL)
|
kvcalloc@p(x, size, GFP_KERNEL)
|
get_zeroed_page@p(GFP_KERNEL)
)
@script:python@
p << r.p;
@@
print("%s:%s: allocation is not GFP_KERNEL_ACCOUNT" % (p[0].file, p[0].line))
