/**
 * The first process of the lab machine (`/init`), for busybox sh. It loads `/modules/*.ko` in the order of `/modules/order`,
 * says what its firmware is, gets a lease, checks that the machine's own name resolves both ways, and posts a MachineReport to the rack. Every failed
 * step is a plain sentence on the console. From the kernel's command line it takes `BOOTIF=01-52-54-…` (the card to use;
 * else the first), `rackboot=http://ip:port` (else port 5248 of the DHCP server), `lab.names=no` where nobody serves names, and `lab.poweroff=1`.
 */
export const INIT_SCRIPT = String.raw`#!/bin/busybox sh
export PATH=/bin

say() {
  read -r uptime rest < /proc/uptime
  echo "rackboot-lab: $* ($uptime s)"
}

rest_forever() {
  if [ -n "$poweroff" ]; then
    sync
    poweroff -f
  fi
  while :; do sleep 3600; done
}

give_up() {
  say "FAILED: $*"
  rest_forever
}

mount_kernel_trees() {
  /bin/busybox --install -s /bin
  mount -t proc proc /proc || echo "rackboot-lab: /proc could not be mounted"
  mount -t sysfs sysfs /sys || say "/sys could not be mounted"
  mount -t devtmpfs devtmpfs /dev || say "/dev could not be mounted"
}

read_command_line() {
  for word in $(cat /proc/cmdline); do
    case $word in
      BOOTIF=*) bootif=$(echo "$word" | cut -d- -f2- | tr 'A-F-' 'a-f:') ;;
      rackboot=*) rack=$(echo "$word" | cut -d= -f2-) ;;
      lab.names=no) nameless=yes ;;
      lab.poweroff=1) poweroff=yes ;;
    esac
  done
}

load_modules() {
  while read -r module; do
    insmod "/modules/$module" || say "kernel module $module could not be loaded"
  done < /modules/order
}

# What started this machine: for UEFI, whether Secure Boot is on, by the firmware's own variable (UEFI 2.10 3.3; four bytes of
# attributes, then the value) and by what the kernel made of it.
tell_firmware() {
  [ -d /sys/firmware/efi ] || { say "firmware: BIOS"; return; }
  mount -t efivarfs efivarfs /sys/firmware/efi/efivars 2> /dev/null
  secure=$(tail -c 1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c 2> /dev/null | od -An -tu1 | tr -d ' ')
  [ -n "$secure" ] || secure=unknown
  say "firmware: UEFI with $(cat /sys/firmware/efi/fw_platform_size) bits, SecureBoot=$secure"
  dmesg | grep -i 'secure *boot' | while read -r line; do say "kernel: $line"; done
}

# Prints the name of the card named by BOOTIF, or of the first one that is not the loopback.
find_nic() {
  for path in /sys/class/net/*; do
    read -r address < "$path/address"
    [ "$address" = 00:00:00:00:00:00 ] && continue
    if [ -z "$bootif" ] || [ "$bootif" = "$address" ]; then
      basename "$path"
      return 0
    fi
  done
  return 1
}

wait_for_nic() {
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    nic=$(find_nic) && return 0
    sleep 0.25
  done
  return 1
}

get_lease() {
  ip link set lo up
  ip link set "$nic" up || say "network card $nic could not be brought up"
  udhcpc -i "$nic" -s /lease-script -t 8 -T 2 -n > /dev/null 2> /run/udhcpc.log || return 1
  [ -f /run/lease ] || return 1
  . /run/lease
}

# busybox nslookup ends with 0 for some failures, so the answer itself is looked for.
resolve_own_name() {
  [ -n "$name" ] || { trouble="the lease carries no host name (option 12)"; return 1; }
  forward=$(nslookup -type=a "$name" 2>&1)
  case $forward in
    *"$address"*) say "name $name resolves to $address" ;;
    *) trouble="the name $name does not resolve to $address, the answer was: $(echo $forward)"; return 1 ;;
  esac
  reverse=$(nslookup "$address" 2>&1)
  case $reverse in
    *"name = $name"*) say "address $address resolves to $name" ;;
    *) trouble="the address $address does not resolve to $name, the answer was: $(echo $reverse)"; return 1 ;;
  esac
}

list_disks() {
  separator=
  for path in /sys/block/*; do
    disk=$(basename "$path")
    case $disk in loop*|ram*|sr*|fd*|zram*|'*') continue ;; esac
    read -r sectors < "$path/size"
    printf '%s{"name":"%s","bytes":%s}' "$separator" "$disk" "$((sectors * 512))"
    separator=,
  done
}

list_nics() {
  separator=
  for path in /sys/class/net/*; do
    read -r address < "$path/address"
    [ "$address" = 00:00:00:00:00:00 ] && continue
    printf '%s{"name":"%s","mac":"%s"}' "$separator" "$(basename "$path")" "$address"
    separator=,
  done
}

write_report() {
  kilobytes=$(grep '^MemTotal:' /proc/meminfo | tr -dc 0-9)
  printf '{"stage":"%s","name":"%s","cores":%s,"memoryBytes":%s,"disks":[%s],"nics":[%s]}' \
    "$1" "$host" "$(nproc)" "$((kilobytes * 1024))" "$(list_disks)" "$(list_nics)"
}

post_report() {
  [ -n "$rack" ] || rack="http://$server:5248"
  report=$(write_report "$1")
  for attempt in 1 2 3; do
    answer=$(wget -q -O - --header 'Content-Type: application/json' --post-data "$report" "$rack/report" 2>&1) && return 0
    say "the rack at $rack did not take the report: $answer"
    sleep 1
  done
  return 1
}

mount_kernel_trees
say "Linux is running"
read_command_line
load_modules
tell_firmware
wait_for_nic || give_up "no network card came up (wanted: $bootif)"
say "asking for an address on $nic"
get_lease || give_up "no lease on $nic: $(tail -n 1 /run/udhcpc.log)"
say "lease of $address from $server, name $name"
if [ -z "$nameless" ] && ! resolve_own_name; then
  post_report name-unresolved
  give_up "$trouble"
fi
post_report up || give_up "the report could not be delivered"
say "reported: $report"
say "machine is up"
rest_forever
`;

/** What udhcpc runs (`/lease-script`): it sets address, route, resolver and host name, and leaves the lease in `/run/lease`. */
export const LEASE_SCRIPT = String.raw`#!/bin/busybox sh
case $1 in bound|renew) ;; *) exit 0 ;; esac

ip address replace "$ip/$mask" dev "$interface"
for gateway in $router; do
  ip route replace default via "$gateway" dev "$interface"
  break
done

: > /etc/resolv.conf
[ -n "$domain" ] && echo "search $domain" > /etc/resolv.conf
for nameserver in $dns; do echo "nameserver $nameserver" >> /etc/resolv.conf; done

name=$hostname
[ -n "$hostname" ] && [ -n "$domain" ] && name=$hostname.$domain
[ -n "$hostname" ] && hostname "$hostname"
printf 'address=%s\nserver=%s\nhost=%s\nname=%s\n' "$ip" "$serverid" "$hostname" "$name" > /run/lease
`;
