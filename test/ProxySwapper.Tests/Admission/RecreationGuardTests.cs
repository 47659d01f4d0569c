using ProxySwapper.Admission;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Admission;

[TestFixture]
internal sealed class RecreationGuardTests
{
    private readonly ManualTimeProvider _time = new();
    private RecreationGuard _guard = null!;

    [SetUp]
    public void Start() => _guard = new RecreationGuard(_time);

    [Test]
    public void A_pod_that_its_operator_creates_three_times_in_ten_minutes_is_left_unchanged_for_an_hour()
    {
        Assert.That((Create(), Create()), Is.EqualTo(((false, false), (false, false))));
        Assert.That(Create(), Is.EqualTo((true, true)));
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.That(Create(), Is.EqualTo((true, false)));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Create(), Is.EqualTo((false, false)));
    }

    [Test]
    public void Three_times_in_a_longer_period_do_not_count_as_a_loop()
    {
        for (var i = 0; i < 6; i++)
        {
            Assert.That(Create(), Is.EqualTo((false, false)));
            _time.Advance(TimeSpan.FromMinutes(5));
        }
    }

    [TestCase("apps/v1", "ReplicaSet")]
    [TestCase("apps/v1", "StatefulSet")]
    [TestCase("apps/v1", "DaemonSet")]
    [TestCase("batch/v1", "Job")]
    [TestCase("v1", "ReplicationController")]
    public void Built_in_controllers_may_create_any_number(string version, string kind)
    {
        for (var i = 0; i < 10; i++)
            Assert.That(Create(version: version, kind: kind), Is.EqualTo((false, false)));
    }

    [Test]
    public void Other_images_other_pods_other_controllers_and_dry_runs_do_not_count()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.That(Create(image: $"app:{i}"), Is.EqualTo((false, false)));
            Assert.That(Create(name: $"pod-{i}"), Is.EqualTo((false, false)));
            Assert.That(Create(uid: $"uid-{i}"), Is.EqualTo((false, false)));
            Assert.That(Create(isDryRun: true), Is.EqualTo((false, false)));
        }
        Assert.That(Create(), Is.EqualTo((false, false)));
    }

    [Test]
    public void Pods_that_get_their_names_from_the_api_server_are_different_ones()
    {
        for (var i = 0; i < 5; i++)
            Assert.That(Create(name: "", generateName: "worker-"), Is.EqualTo((false, false)));
    }

    [Test]
    public void Twenty_thousand_different_pods_do_not_count_as_a_loop()
    {
        for (var i = 0; i < 20_000; i++)
            Assert.That(Create(name: $"pod-{i}").IsLeftUnchanged, Is.False);
    }

    private (bool IsLeftUnchanged, bool IsNew) Create(
        string image = "app:1",
        string name = "db-1",
        string uid = "u",
        string version = "example.com/v1",
        string kind = "Database",
        bool isDryRun = false,
        string generateName = ""
    )
    {
        var pod = new PodSummary
        {
            Name = name,
            GenerateName = generateName,
            Controller = new PodController(version, kind, uid),
        };
        pod.AddImage(new PodImage(PodImageKind.Container, 0, "main", image, null));
        var review = new AdmissionReview
        {
            Operation = "CREATE",
            Namespace = "team",
            IsDryRun = isDryRun,
            Object = pod,
        };
        var isLeftUnchanged = _guard.Created(review, out var isNew);
        return (isLeftUnchanged, isNew);
    }
}
