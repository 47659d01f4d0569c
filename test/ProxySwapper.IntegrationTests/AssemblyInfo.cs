// Processes spend most of a test waiting, so one more fixture runs in parallel than the smallest machine has cores. Fixtures that measure
// time, or change cluster-wide objects, run alone.
[assembly: LevelOfParallelism(3)]
