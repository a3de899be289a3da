# shellcheck shell=bash
#
# Source packages of a newer release of this machine's distribution, from the mirror that the machine already
# uses. apt keeps its state in a separate folder: the machine's package sources and lists are read and
# never changed.

# mirror_stanza SUITE: prints a deb822 stanza for SUITE's source packages on the mirror of the machine's own
# release, signed by the same keys; empty if there is no such mirror.
mirror_stanza() {
    local suite=$1 own components=main
    own=$(mirror_own_suite)
    [[ $(mirror_distribution) != ubuntu ]] || components="main universe"
    {
        mirror_from_deb822 "$own"
        mirror_from_list "$own"
    } | awk -v suite="$suite" -v components="$components" '
        # Use the first stanza.
        NF == 0 { exit }
        NR == 1 { print "Types: deb-src\nSuites: " suite "\nComponents: " components }
        { print }'
}

mirror_own_suite() (
    # shellcheck source=/dev/null
    . /etc/os-release
    printf '%s' "${VERSION_CODENAME:-}"
)

mirror_distribution() (
    # shellcheck source=/dev/null
    . /etc/os-release
    printf '%s' "${ID:-}"
)

# mirror_from_deb822 OWN: prints the URI and key fields of each stanza (*.sources) with the suite OWN, and an
# empty line after each stanza. A stanza may contain a key of many lines.
mirror_from_deb822() {
    local -a files
    mapfile -t files < <(compgen -G '/etc/apt/sources.list.d/*.sources' || true)
    ((${#files[@]})) || return 0
    local file
    # An empty line after each file separates its last stanza from the next file's first.
    for file in "${files[@]}"; do
        cat "$file"
        printf '\n\n'
    done | awk -v own="$1" '
        function flush() {
            if (tolower(enabled) != "no" && (" " types " ") ~ / deb / &&
                index(" " suites " ", " " own " ") && uri != "" && uri !~ /^cdrom:/)
                print "URIs: " uri "\n" keys
            enabled = types = suites = uri = keys = field = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^[ \t]/ { if (field == "signed-by") keys = keys $0 "\n"; next }
        {
            field = tolower($0); sub(/[ \t]*:.*/, "", field)
            value = $0; sub(/^[^:]*:[ \t]*/, "", value); sub(/[ \t]+$/, "", value)
            if (field == "enabled") enabled = value
            if (field == "types") types = value
            if (field == "suites") suites = value
            if (field == "uris") { split(value, all, /[ \t]+/); uri = all[1] }
            if (field == "signed-by" || field == "trusted") keys = keys $0 "\n"
        }'
}

# mirror_from_list OWN: prints the same for the one-line format.
mirror_from_list() {
    local -a files
    mapfile -t files < <(compgen -G '/etc/apt/sources.list' || true
        compgen -G '/etc/apt/sources.list.d/*.list' || true)
    ((${#files[@]})) || return 0
    awk -v own="$1" '
        $1 == "deb" {
            keys = ""
            if (match($0, /\[[^]]*\]/)) {
                count = split(substr($0, RSTART + 1, RLENGTH - 2), option, /[ \t]+/)
                for (i = 1; i <= count; i++) {
                    if (sub(/^signed-by=/, "", option[i])) keys = keys "Signed-By: " option[i] "\n"
                    else if (sub(/^trusted=/, "", option[i])) keys = keys "Trusted: " option[i] "\n"
                }
                $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
            }
            if ($3 == own && $2 !~ /^cdrom:/) print "URIs: " $2 "\n" keys
        }' "${files[@]}"
}

# mirror_source PACKAGE MINIMUM WORK LOG SUITE...: downloads PACKAGE's upstream source, at least version MINIMUM,
# from the first suite that has it. Unpacks it to WORK/source and prints its version; status 1 if no suite
# has it. apt checks signatures and checksums.
mirror_source() {
    local package=$1 minimum=$2 work=$3 log=$4 suite version
    shift 4
    for suite in "$@"; do
        mirror_apt_folder "$work/apt" "$suite" || return 1
        run_logged "$log" mirror_apt "$work/apt" update || continue
        version=$(mirror_newest_source "$work/apt" "$package")
        if [[ -n $version ]] && version_at_least "$version" "$minimum"; then
            (cd "$work/apt" && run_logged "$log" mirror_apt . source --tar-only --download-only "$package=$version") || continue
            mkdir -p "$work/source"
            tar -xf "$work/apt/${package}"_*.orig.tar.* -C "$work/source" --strip-components=1 --no-same-owner || return 1
            printf '%s' "${version%%-*}"
            return 0
        fi
    done
    return 1
}

# mirror_apt FOLDER ARGUMENT...: runs apt-get with all its state in FOLDER.
mirror_apt() {
    local folder
    folder=$(readlink -f "$1")
    shift
    apt-get --config-file="$folder/apt.conf" "$@"
}

mirror_apt_folder() {
    local folder=$1 suite=$2 stanza
    stanza=$(mirror_stanza "$suite")
    [[ -n $stanza ]] || return 1
    rm -rf "$folder"
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/sources"
    printf '%s\n' "$stanza" >"$folder/sources/newer.sources"
    # The machine's other settings (such as proxies) still apply. Translations are left out. apt runs as
    # the folder's owner, so it needs no sandbox user to write there.
    cat >"$folder/apt.conf" <<END
Dir::State "$folder";
Dir::State::lists "$folder/lists";
Dir::State::status "/dev/null";
Dir::Cache "$folder/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$folder/sources";
Acquire::Languages "none";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
}

mirror_newest_source() {
    apt-cache --config-file="$1/apt.conf" showsrc --only-source "$2" 2>/dev/null |
        sed -n 's/^Version: //p' | sort --version-sort | tail -n 1
}
