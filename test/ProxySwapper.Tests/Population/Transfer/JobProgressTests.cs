using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Tests.Population.Transfer;

[TestFixture]
internal sealed class JobProgressTests
{
    private static readonly Descriptor Small = new("layer", Digest.OfBytes([1]), 100);
    private static readonly Descriptor Shared = new("layer", Digest.OfBytes([2]), 1000);
    private static readonly Descriptor Huge = new("layer", Digest.OfBytes([3]), 10L << 30);

    private PopulationQueue _queue = null!;
    private PopulationJob _job = null!;
    private JobProgress _progress = null!;
    private bool _madeWay;

    [SetUp]
    public async Task Make()
    {
        _madeWay = false;
        _queue = new PopulationQueue(
            PopulateRules.Of(new() { MaxNumberOfParallelJobs = 2 }),
            new FakeTimeProvider(),
            new Backoff(() => 0.5)
        );
        _job = await JobAsync("one");
        _queue.ReportProgress(_job);
        _progress = new JobProgress(_job, _queue, () => _madeWay = true);
    }

    [Test]
    public void Progress_counts_transferred_bytes_of_those_to_transfer()
    {
        Report(Small, CopyStep.Planned);
        Report(Shared, CopyStep.Planned);
        Report(Shared, CopyStep.Mounted);
        Report(Small, CopyStep.Transferring, 40);
        Assert.That((_job.BytesDone, _job.BytesTotal), Is.EqualTo((40, 100)));
        Report(Small, CopyStep.Copied, 100);
        Assert.That((_job.BytesDone, _job.BytesTotal), Is.EqualTo((100, 100)));
    }

    [Test]
    public void A_restarted_blob_counts_once()
    {
        Report(Small, CopyStep.Transferring, 90);
        Report(Small, CopyStep.Transferring, 10);
        Assert.That(_job.BytesDone, Is.EqualTo(10));
    }

    [Test]
    public async Task A_second_large_image_is_requeued_before_any_transfer()
    {
        Assert.That(_queue.TryReserveLargeTransfer(await JobAsync("other"), 10L << 30), Is.True);
        Report(Huge, CopyStep.Planned);
        Assert.That(_madeWay, Is.False);
        Report(Huge, CopyStep.Transferring, 1);
        Assert.That(_madeWay, Is.True);
    }

    [Test]
    public async Task A_large_image_that_already_exists_is_not_requeued()
    {
        Assert.That(_queue.TryReserveLargeTransfer(await JobAsync("other"), 10L << 30), Is.True);
        Report(Huge, CopyStep.Planned);
        Report(Small, CopyStep.Planned);
        Report(Huge, CopyStep.Present);
        Report(Small, CopyStep.Transferring, 1);
        Assert.That(_madeWay, Is.False);
    }

    private void Report(Descriptor blob, CopyStep step, long bytes = 0) => _progress.Report(new CopyProgress(blob, step, bytes));

    private async Task<PopulationJob> JobAsync(string name)
    {
        _queue.TryEnqueue(
            new CopyWork(ImageReference.Parse($"up/{name}:1"), ImageReference.Parse($"down.example.com/{name}:1"), []),
            new(name, "p", "default", [])
        );
        return (await _queue.TakeAsync(default))!;
    }
}
