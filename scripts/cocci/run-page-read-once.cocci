// The run page is the VMM's to scribble on: a field is read by READ_ONCE(), into a local, and
// nowhere else. Allowed besides: to write a field, to take its address, to copy a whole
// structure of it.
@allowed@
struct minikvm_run *r;
expression e, i, x;
identifier f, g, h;
position p;
assignment operator aop;
@@
(
READ_ONCE(<+... \(r->f@p\|e->run->f@p\) ...+>)
|
 &r->f@p
|
 &r->f@p.g
|
 &r->f@p.g.h
|
r->f@p aop x
|
r->f@p.g aop x
|
r->f@p.g[i] aop x
|
memcpy(r->f@p.g, ...)
|
memset(r->f@p.g, ...)
|
 &e->run->f@p
|
 &e->run->f@p.g
|
 &e->run->f@p.g.h
|
e->run->f@p aop x
|
e->run->f@p.g aop x
|
e->run->f@p.g[i] aop x
|
memcpy(e->run->f@p.g, ...)
|
memset(e->run->f@p.g, ...)
)

@sized@
struct minikvm_run *r;
expression e;
identifier f, g;
position p;
@@
(
sizeof(r->f@p.g)
|
sizeof(e->run->f@p.g)
)

@copied@
struct minikvm_run *r;
expression e;
identifier f, g, local;
position p;
type T;
@@
(
T local = r->f@p.regs.g;
|
T local = e->run->f@p.regs.g;
)

@read@
struct minikvm_run *r;
expression e;
identifier f;
position p != { allowed.p, sized.p, copied.p };
@@
\(r->f@p\|e->run->f@p\)

@script:python@
p << read.p;
f << read.f;
@@
print("%s:%s: %s: run->%s is read in the run page" % (p[0].file, p[0].line, p[0].current_element, f))
