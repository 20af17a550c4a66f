#!/bin/busybox sh
# The only program of the guest. Says on the serial console which disks it has and how large they are, in bytes, at start
# and whenever that changes; powers off when the power button is pressed.

/bin/busybox mkdir -p /proc /sys /dev /run /bin /sbin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s /bin
export PATH=/bin
exec </dev/ttyS0 >/dev/ttyS0 2>&1

while read -r module; do
    insmod "/modules/$module"
done </modules/order

# One line, one write: the kernel's own messages cannot come between.
report() {
    line=
    for disk in /sys/block/vd* /sys/block/sd*; do
        [ -r "$disk/size" ] || continue
        sectors=0 serial=
        read -r sectors <"$disk/size"
        [ ! -r "$disk/serial" ] || read -r serial <"$disk/serial"
        line="${line:+$line, }${disk##*/} $((sectors * 512)) ${serial:--}"
    done
    [ "$line" = "$last" ] || echo "disks: $line"
    last=$line
}

# The first key event of a power button is its press (struct input_event: 24 bytes).
button() {
    dd if="/dev/input/$1" of=/dev/null bs=24 count=1 2>/dev/null
    echo "Power button pressed, powering off."
    sync
    poweroff -f
}

for input in /sys/class/input/event*; do
    read -r name 2>/dev/null <"$input/device/name"
    [ "$name" != "Power Button" ] || button "${input##*/}" &
done

read -r up rest </proc/uptime
echo "Linux $(uname -r) is up after $up s."
last=none
# The kernel says "something changed" for each new, gone or grown disk; a look every few seconds makes up for a message
# lost before anybody listened. (Without a program uevent prints, but into a pipe only when its buffer is full.)
mkfifo /run/look
exec 3<>/run/look
uevent sh -c 'echo >&3' &
while echo >&3; do sleep 3; done &
while read -r line <&3; do
    report
done
