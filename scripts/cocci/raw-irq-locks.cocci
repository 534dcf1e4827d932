// A lock that is taken with interrupts off, in the run loop or in a timer's callback, is a
// raw one: on PREEMPT_RT the others sleep.
@r@
expression lock, flags;
position p;
@@
(
spin_lock_irqsave@p(lock, flags)
|
spin_lock_irq@p(lock)
|
read_lock_irqsave@p(lock, flags)
|
write_lock_irqsave@p(lock, flags)
|
read_lock_irq@p(lock)
|
write_lock_irq@p(lock)
)
@script:python@
p << r.p;
@@
print("%s:%s: a lock for interrupts off that is not raw" % (p[0].file, p[0].line))
