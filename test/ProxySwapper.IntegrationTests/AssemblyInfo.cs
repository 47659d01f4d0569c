// Processes spend most of a test waiting, so twice as many fixtures run in parallel as the smallest machine has cores. A fixture that
// measures time or memory, or that changes what others see of a shared server, is [NonParallelizable]: these run alone, after the others.
[assembly: LevelOfParallelism(4)]
[assembly: Parallelizable(ParallelScope.Fixtures)]
