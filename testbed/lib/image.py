# SPDX-License-Identifier: GPL-2.0
"""What a machine boots: the initramfs with payload and command, and the ISO.

Called by testbed/run and testbed/initrd. Knows nothing of emulators.
"""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUSYBOX = "/bin/busybox"
ISOLINUX = "/usr/lib/ISOLINUX/isolinux.bin"
LDLINUX = "/usr/lib/syslinux/modules/bios/ldlinux.c32"


class ImageError(Exception):
    """The image can't be made; the text says why."""


def new_root(root, init):
    """A directory tree with busybox, its applets and `init` as /init."""
    for d in ("bin", "sbin", "dev", "proc", "sys", "tmp", "root", "etc", "testbed"):
        os.makedirs(os.path.join(root, d))
    if not os.path.exists(BUSYBOX):
        raise ImageError("no %s: testbed/packages run" % BUSYBOX)
    shutil.copy(BUSYBOX, os.path.join(root, "bin/busybox"))
    applets = subprocess.run([BUSYBOX, "--list"], stdout=subprocess.PIPE,
                             check=True, text=True).stdout.split()
    for a in applets:
        if a != "busybox":
            os.symlink("busybox", os.path.join(root, "bin", a))
    shutil.copy(init, os.path.join(root, "init"))
    with open(os.path.join(root, "etc/passwd"), "w") as f:
        f.write("root::0:0:root:/root:/bin/sh\n")
    # This busybox prefers its applets to files, and its poweroff would ask an
    # init that isn't here.
    with open(os.path.join(root, "etc/profile"), "w") as f:
        f.write("PS1='\\h:\\w# '\npoweroff() { /testbed/poweroff; }\nhalt() { poweroff; }\n")


def split(spec):
    """(source, destination) of SRC:/DEST, whose source is here and can be read."""
    src, sep, dest = spec.rpartition(":")
    if not sep or not src or not dest.startswith("/"):
        raise ImageError("'%s' is not SRC:/DEST" % spec)
    if not os.path.exists(src):
        raise ImageError("no '%s' here" % src)
    if not os.path.isdir(src) and not os.path.isfile(src):
        raise ImageError("'%s' is neither a file nor a directory" % src)
    if not os.access(src, os.R_OK):
        raise ImageError("'%s' cannot be read" % src)
    return src, dest


def size(path):
    """Bytes of a file, or of the files in a directory."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(where, f)) for where, _, files in os.walk(path)
               for f in files if os.path.isfile(os.path.join(where, f)))


def add(root, spec):
    """Copy SRC:DEST (a file or a directory) into the tree."""
    src, dest = split(spec)
    if dest.endswith("/") and not os.path.isdir(src):
        dest += os.path.basename(src)
    target = root + dest
    os.makedirs(os.path.dirname(target.rstrip("/")), exist_ok=True)
    if os.path.isdir(src):
        shutil.copytree(src, target, symlinks=True, dirs_exist_ok=True)
    else:
        if os.path.islink(target):		# an applet: not busybox itself is meant
            os.unlink(target)
        shutil.copy(src, target)


def add_program(root, name):
    """Copy a dynamically linked program of this machine, with its libraries."""
    path = shutil.which(name)
    if not path:
        raise ImageError("--add-program: no %s here" % name)
    out = subprocess.run(["ldd", path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True).stdout
    add(root, "%s:/bin/%s" % (os.path.realpath(path), os.path.basename(name)))
    for word in out.split():
        if word.startswith("/") and os.path.exists(word):
            add(root, "%s:%s" % (os.path.realpath(word), word))


def tool(argv, **more):
    """Run one of the programs that make the image. What stops them is a full disk."""
    r = subprocess.run(argv, stderr=subprocess.PIPE, check=False, **more)
    if r.returncode:
        said = r.stderr.decode(errors="replace").strip().splitlines()
        raise ImageError("%s failed: %s" % (argv[0], said[-1] if said else "it said nothing"))
    return r.stdout


def pack(root, target):
    """The tree as an initramfs. Not compressed: to unpack costs the emulated
    machine more than to load."""
    names = tool(["find", ".", "-print0"], cwd=root, stdout=subprocess.PIPE)
    with open(target, "wb") as f:
        tool(["cpio", "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0"],
             cwd=root, input=names, stdout=f)


def make_iso(work, kernel, initrd, cmdline):
    """A bootable ISO in `work`; returns its path."""
    tree = os.path.join(work, "iso")
    os.makedirs(os.path.join(tree, "isolinux"))
    for f in (ISOLINUX, LDLINUX):
        if not os.path.exists(f):
            raise ImageError("no %s: testbed/packages run" % f)
        shutil.copy(f, os.path.join(tree, "isolinux"))
    os.symlink(os.path.realpath(kernel), os.path.join(tree, "vmlinuz"))
    os.symlink(initrd, os.path.join(tree, "initrd"))
    with open(os.path.join(tree, "isolinux/isolinux.cfg"), "w") as f:
        f.write("DEFAULT l\nPROMPT 0\nLABEL l\n KERNEL /vmlinuz\n"
                " INITRD /initrd\n APPEND %s\n" % cmdline)
    iso = os.path.join(work, "boot.iso")
    tool(["xorriso", "-as", "mkisofs", "-quiet", "-f", "-o", iso,
          "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat",
          "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", tree],
         stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return iso
