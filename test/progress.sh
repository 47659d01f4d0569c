# Progress of test/run, which sources this: of a step by its time, of tests by their output. Files are written to $results. The running
# step is $job, and $interrupted says whether a signal ended it.

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Progress: one changing line on a terminal, otherwise a line at intervals.
if [[ -t 1 ]]; then tick=1; else tick=30; fi
print_line() { if [[ -t 1 ]]; then printf '\r\e[K%s' "$*"; else printf '%s\n' "$*"; fi; }
print_last_line() { if [[ -t 1 ]]; then printf '\r\e[K'; fi; printf '%s\n' "$*"; }

# step NAME ESTIMATE COMMAND…: runs a command with its output in a file of the results. A failure ends the run.
step() {
  local name=$1 began=$SECONDS next=$((SECONDS + tick)) code=0
  if $interrupted; then exit 1; fi
  "${@:3}" >"$results/$name.log" 2>&1 &
  job=$!
  print_line "$name …"
  while kill -0 "$job" 2>/dev/null; do
    # A terminal sends Ctrl-C to this one too.
    sleep 0.2 || true
    # Again, for a signal that came before $job was known.
    if $interrupted; then kill "$job" 2>/dev/null || true; fi
    if ((SECONDS >= next)); then
      print_line "$name … $(clock $((SECONDS - began))) of $2"
      next=$((SECONDS + tick))
    fi
  done
  wait "$job" || code=$?
  job=
  if ((code == 0)); then
    print_last_line "$name: done in $(clock $((SECONDS - began)))"
    return
  fi
  local outcome=FAILED
  if $interrupted; then outcome=INTERRUPTED; fi
  print_last_line "$name: $outcome after $(clock $((SECONDS - began))). The end of TestResults/$name.log:"
  tail -n 40 "$results/$name.log"
  exit 1
}

# follow NAME: reads the output of a test run, prints failures and progress, and writes the names of finished tests to a file.
follow() {
  local line partial='' began=$SECONDS next=$((SECONDS + tick)) failing=false ended=0 failures=0 code
  local total
  total=$(wc -l <"$results/$1.discovered")
  : >"$results/$1.ended"
  while :; do
    code=0
    IFS= read -r -t 1 line || code=$?
    if ((code == 0)); then
      line=$partial$line
      partial=
      if [[ $line =~ ^'  '(Passed|Failed|Skipped)' '(.+)' ['[^][]+']'$ ]]; then
        ended=$((ended + 1))
        printf '%s %s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >>"$results/$1.ended"
        failing=false
        if [[ ${BASH_REMATCH[1]} == Failed ]]; then
          failures=$((failures + 1))
          failing=true
          print_last_line "$line"
        fi
      elif $failing; then
        printf '%s\n' "$line"
      fi
    elif ((code > 128)); then
      partial+=$line
    else
      break
    fi
    if ((SECONDS >= next)); then
      print_line "$1 … $ended of $total tests, $failures failed, $(clock $((SECONDS - began)))"
      next=$((SECONDS + tick))
    fi
  done
  print_last_line "$1: $ended of $total tests ended, $failures failed, $(clock $((SECONDS - began)))"
}
