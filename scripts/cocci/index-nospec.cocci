// A function's argument that is compared with a bound and then used as an index is, for the
// processor, used before it is compared. Where a guest or a caller may choose it, the index is
// array_index_nospec(argument, bound).
@r@
identifier f;
identifier a =~ "^(index|n|reg|port|pin|line|gsi|channel|vector|id|msr|function)$";
type T;
expression bound;
@@
f(..., T a, ...)
{
<+...
(
 a >= bound
|
 a < bound
|
 a > bound
|
 a <= bound
)
...+>
}
@s@
identifier r.f, r.a;
expression arr;
position p;
@@
f(...)
{
<+...
(
 arr[a@p]
|
 arr[a@p / ...]
)
...+>
}
@script:python@
p << s.p;
@@
print("%s:%s: index is compared, but not array_index_nospec()" % (p[0].file, p[0].line))
