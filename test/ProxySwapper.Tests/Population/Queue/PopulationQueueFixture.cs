using ProxySwapper.Configuration;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Queue;

/// <summary>A queue for two workers with its own clock.</summary>
internal abstract class PopulationQueueFixture
{
    private ConfigurationMonitor _rules = null!;

    protected const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    protected static PodOrigin Pod { get; } = new("team", "pod", "default", []);

    protected ManualTimeProvider Time { get; private set; } = null!;
    protected PopulationQueue Queue { get; private set; } = null!;

    /// <summary>The current options; setting them reloads the configuration.</summary>
    protected PopulateOptions Options
    {
        get => _rules.Current.Options.Populate;
        set => _rules.Apply(value);
    }

    [SetUp]
    public void Make()
    {
        _rules = PopulateRules.Of(
            new()
            {
                MaxNumberOfParallelJobs = 2,
                MaxRetries = 3,
                QueueLimit = 5,
            }
        );
        Time = new ManualTimeProvider();
        Queue = new PopulationQueue(_rules, Time, new Backoff(() => 0.5));
        Responded("up.example.com");
    }

    /// <summary>Records a response of a registry, so that its images do not count as slow.</summary>
    protected void Responded(string registry)
    {
        var work = Copy("responded", registry);
        Queue.TryEnqueue(work, Pod);
        Queue.Succeeded(Take());
        Queue.Known.Forget(work.Key);
    }

    protected static JobFailure Transient => new("500", FailureKind.Transient, RegistryName.Parse("up.example.com"));

    protected static JobFailure Failing(string host) => new("down", FailureKind.RegistryDown, RegistryName.Parse(host));

    protected static CopyWork Copy(string name, string registry)
    {
        var path = name.Contains('@', StringComparison.Ordinal) ? name : $"{name}:1";
        return new(ImageReference.Parse($"{registry}/{path}"), ImageReference.Parse($"down.example.com/{path}"), []);
    }

    protected EnqueueOutcome Enqueue(string name, string registry = "up.example.com", bool mayHaveMoved = false) =>
        Queue.TryEnqueue(Copy(name, registry), Pod, mayHaveMoved).Outcome;

    /// <summary>Enqueues an image for a Pod of a namespace.</summary>
    protected EnqueueResult EnqueueFor(string @namespace, string name, string registry = "up.example.com") =>
        Queue.TryEnqueue(Copy(name, registry), new PodOrigin(@namespace, "pod", "default", []));

    /// <summary>The job of an image, whether it runs or waits.</summary>
    protected PopulationJob Running(string name) =>
        Queue.Read((running, waiting) => running.Concat(waiting).Single(job => job.Work.Key == $"down.example.com/{name}:1"));

    protected void Do(string name)
    {
        Enqueue(name);
        Queue.Succeeded(Take());
    }

    protected Task<PopulationJob?> TakeAsync() => Queue.TakeAsync(CancellationToken.None).AsTask();

    protected PopulationJob Take() => TryTake() ?? throw new AssertionException("No job may run.");

    /// <summary>The job that a free worker gets now, or null.</summary>
    protected PopulationJob? TryTake()
    {
        using var impatient = new CancellationTokenSource();
        var take = Queue.TakeAsync(impatient.Token).AsTask();
        if (take.IsCompleted)
            return take.Result;
        impatient.Cancel();
        Assert.That(() => take, Throws.InstanceOf<OperationCanceledException>());
        return null;
    }
}
