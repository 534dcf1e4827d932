// The run page is the VMM's to scribble on: a field of it is not tested where it lies, but
// read once into a local.
@r@
expression e;
identifier f;
position p;
statement S;
@@
(
if@p (e->run->f) S
|
if@p (!e->run->f) S
|
while@p (e->run->f) S
)
@script:python@
p << r.p;
f << r.f;
@@
print("%s:%s: run->%s is tested in the run page" % (p[0].file, p[0].line, f))
