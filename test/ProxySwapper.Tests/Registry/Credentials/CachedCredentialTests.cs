using ProxySwapper.Registry.Credentials;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Credentials;

/// <summary>The renewal of a cloud's credential, which must never cost more than the old one's end.</summary>
[TestFixture]
internal sealed class CachedCredentialTests
{
    private static readonly TimeSpan RenewalWait = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly Queue<Task<RenewableCredential>> _renewals = new();
    private CachedCredential _cached = null!;
    private int _fetches;

    [SetUp]
    public void MakeCache()
    {
        _renewals.Clear();
        _fetches = 0;
        _cached = new CachedCredential(
            _time,
            token =>
            {
                Interlocked.Increment(ref _fetches);
                return _renewals.Dequeue().WaitAsync(token);
            }
        );
    }

    [Test]
    public async Task A_renewal_that_hangs_delays_one_request_for_a_moment_while_the_old_credential_is_valid()
    {
        await AgeAsync(TimeSpan.FromMinutes(1));
        var renewal = new TaskCompletionSource<RenewableCredential>(TaskCreationOptions.RunContinuationsAsynchronously);
        _renewals.Enqueue(renewal.Task);
        var first = GetAsync();
        Assert.That(first.IsCompleted, Is.False, "a renewal that takes a moment is waited for");
        await _time.FireAsync(RenewalWait);
        Assert.That((await first)?.Username, Is.EqualTo("old"));
        Assert.That((await GetAsync())?.Username, Is.EqualTo("old"), "others do not wait again");
        renewal.SetResult(Credential("new", 10));
        await TestWait.UntilAsync(async () => (await GetAsync())?.Username == "new");
        Assert.That(_fetches, Is.EqualTo(2));
    }

    [Test]
    public async Task A_renewal_that_hangs_is_waited_for_when_the_old_credential_is_over()
    {
        var left = TimeSpan.FromSeconds(30);
        await AgeAsync(left);
        var renewal = new TaskCompletionSource<RenewableCredential>(TaskCreationOptions.RunContinuationsAsynchronously);
        _renewals.Enqueue(renewal.Task);
        var first = GetAsync();
        await _time.FireAsync(RenewalWait);
        Assert.That((await first)?.Username, Is.EqualTo("old"));
        _time.Advance(left - RenewalWait);
        var late = GetAsync();
        Assert.That(late.IsCompleted, Is.False);
        renewal.SetResult(Credential("new", 10));
        Assert.That((await late)?.Username, Is.EqualTo("new"));
        Assert.That(_fetches, Is.EqualTo(2));
    }

    [Test]
    public async Task A_renewal_that_fails_does_not_matter_while_the_old_credential_is_valid()
    {
        await AgeAsync(TimeSpan.FromMinutes(1));
        _renewals.Enqueue(Task.FromException<RenewableCredential>(new RegistryCredentialException("the cloud is away")));
        Assert.That((await GetAsync())?.Username, Is.EqualTo("old"));
        _time.Advance(TimeSpan.FromMinutes(1));
        _renewals.Enqueue(Task.FromException<RenewableCredential>(new RegistryCredentialException("the cloud is away")));
        Assert.That(async () => await GetAsync(), Throws.InstanceOf<RegistryCredentialException>());
    }

    /// <summary>Fetches a credential and waits until it has only this much time left.</summary>
    private async Task AgeAsync(TimeSpan left)
    {
        _renewals.Enqueue(Task.FromResult(Credential("old", 10)));
        Assert.That((await GetAsync())?.Username, Is.EqualTo("old"));
        _time.Advance(TimeSpan.FromMinutes(10) - left);
    }

    private Task<RegistryCredential?> GetAsync() => _cached.GetAsync(default).AsTask();

    private RenewableCredential Credential(string name, int minutes) =>
        new(RegistryCredential.Basic(name, "password"), _time.GetUtcNow().AddMinutes(minutes));
}
