// Whole processes spend most of a test waiting, so that one fixture more runs than the smallest machine has cores. Fixtures that measure
// time, or change what is one for the whole cluster, run alone.
[assembly: LevelOfParallelism(3)]
