# SPDX-License-Identifier: GPL-2.0
# bash completion for minivmm. What it completes is what minivmm --help says.
_minivmm()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} help

	help=$("$1" --help 2>/dev/null)
	case $(awk -v option="$prev" '$1 == option { print $2 }' <<<"$help") in
	FILE|PATH)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	[A-Z][A-Z]*)	# a number, a text
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$(awk '$1 ~ /^--[a-z]/ { print $1 }' <<<"$help")" -- "$cur") ;;
	esac
}
complete -F _minivmm minivmm
