// Who takes the slots for reading, or a lock, gives it back on every way out of the function.
@given_back@
expression e, flags;
position p;
@@
(
slots_read_lock@p(e);
... when strict
slots_read_unlock(e);
|
mutex_lock@p(e);
... when strict
mutex_unlock(e);
|
spin_lock@p(e);
... when strict
spin_unlock(e);
|
read_lock@p(e);
... when strict
read_unlock(e);
|
write_lock@p(e);
... when strict
write_unlock(e);
|
spin_lock_irqsave@p(e, flags);
... when strict
spin_unlock_irqrestore(e, flags);
|
raw_spin_lock@p(e);
... when strict
raw_spin_unlock(e);
|
raw_spin_lock_irqsave@p(e, flags);
... when strict
raw_spin_unlock_irqrestore(e, flags);
|
flags = chip_lock@p(e);
... when strict
chip_unlock(e, flags);
)

// A function that lets the lock of its caller go for a while.
@back_spin exists@
identifier f;
expression e;
position p;
@@
f(...)
{
... when != spin_lock(e)
spin_unlock(e);
... when != spin_lock(e)
spin_lock@p(e);
...
}

@back_read exists@
identifier f;
expression e;
position p;
@@
f(...)
{
... when != read_lock(e)
read_unlock(e);
... when != read_lock(e)
read_lock@p(e);
...
}

@back_mutex exists@
identifier f;
expression e;
position p;
@@
f(...)
{
... when != mutex_lock(e)
mutex_unlock(e);
... when != mutex_lock(e)
mutex_lock@p(e);
...
}

@taken@
position p != { given_back.p, back_spin.p, back_read.p, back_mutex.p };
identifier lock =~ "^(slots_read|mutex|spin|read|write|raw_spin|chip)_lock(_irqsave)?$";
@@
lock@p(...)

@script:python@
p << taken.p;
lock << taken.lock;
@@
# A function named for it takes the lock for its caller: its own pair is in the list, too.
if not p[0].current_element.endswith("_lock"):
    print("%s:%s: %s: a way out does not undo %s()" % (p[0].file, p[0].line, p[0].current_element, lock))
