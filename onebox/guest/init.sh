#!/bin/busybox sh
# The only program of the guest. Says on the serial console which disks it has and how large they are, in bytes, at start
# and whenever that changes; counts on each of them; powers off when the power button is pressed.

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

# serial_of vda: as the hypervisor gave it, or nothing.
serial_of() {
    serial=
    [ ! -r "/sys/block/$1/serial" ] || read -r serial <"/sys/block/$1/serial"
}

# One line, one write: the kernel's own messages cannot come between.
report() {
    line=
    for disk in /sys/block/vd* /sys/block/sd*; do
        name=${disk##*/}
        [ -r "$disk/size" ] || continue
        sectors=0
        read -r sectors <"$disk/size"
        serial_of "$name"
        line="${line:+$line, }$name $((sectors * 512)) ${serial:--}"
        [ -e "/run/counting-$name" ] || { : >"/run/counting-$name"; count "$name" "$serial" & }
    done
    [ "$line" = "$last" ] || echo "disks: $line"
    last=$line
}

# A counter in a sector of the disk, for as long as the disk is there: about once a second, and each number is on the
# disk before it is shown. It goes on from what it finds; anything else there is somebody's data and is left alone. The
# sector is the first behind the file system of this image (image.py). Each disk has a process of its own: one that hangs
# holds up no other.
SECTOR=30720
count() {
    found=$(dd "if=/dev/$1" bs=512 skip=$SECTOR count=1 2>/dev/null | tr -d '\0')
    case $found in
        'counter '*) number=${found#counter }; number=${number%% *} ;;
        '') number=0 ;;
        *) number=none ;;
    esac
    sectors=0 readonly=1
    read -r sectors <"/sys/block/$1/size"
    read -r readonly <"/sys/block/$1/ro"
    if [ "$number" = none ] || [ "$sectors" -le $SECTOR ] || [ "$readonly" = 1 ]; then
        while is_there "$1" "$2"; do sleep 3; done
    else
        echo "counter on $1 (${2:--}): found $number"
        while is_there "$1" "$2"; do
            write "$1" $((number + 1)) && number=$((number + 1)) && echo "$number" >"/run/counter-$1"
            sleep 1
        done
    fi
    rm -f "/run/counting-$1" "/run/counter-$1"
}

is_there() {
    serial_of "$1"
    [ -r "/sys/block/$1/size" ] && [ "$serial" = "$2" ]
}

write() {
    printf '%-512s' "counter $2 " | dd "of=/dev/$1" bs=512 seek=$SECTOR count=1 conv=notrunc,fsync 2>/dev/null
}

counters() {
    line=
    for counter in /run/counter-*; do
        read -r number 2>/dev/null <"$counter" && line="${line:+$line, }${counter#/run/counter-} $number"
    done
    [ -z "$line" ] || echo "counters: $line"
}

# The first key event of a power button is its press (struct input_event: 24 bytes). What was counted is on the disks,
# so nothing is synchronised: a disk that hangs would hang that.
button() {
    dd if="/dev/input/$1" of=/dev/null bs=24 count=1 2>/dev/null
    echo "Power button pressed, powering off."
    counters
    poweroff -n -f
}

for input in /sys/class/input/event*; do
    read -r name 2>/dev/null <"$input/device/name"
    [ "$name" != "Power Button" ] || button "${input##*/}" &
done

read -r up rest </proc/uptime
read -r name memory rest </proc/meminfo
echo "Linux $(uname -r) is up after $up s. Processors: $(nproc), memory: $((memory / 1024)) MiB."
last=none
# The kernel says "something changed" for each new, gone or grown disk; a look every few seconds makes up for a message
# lost before anybody listened. (Without a program uevent prints, but into a pipe only when its buffer is full.)
mkfifo /run/look
exec 3<>/run/look
uevent sh -c 'echo >&3' &
while echo tick >&3; do sleep 3; done &
ticks=0
while read -r event <&3; do
    if [ "$event" = tick ]; then
        ticks=$((ticks + 1))
        counters
        # However long it runs, the end of its console's log says what disks there are.
        [ $((ticks % 100)) != 0 ] || last=none
    fi
    report
done
