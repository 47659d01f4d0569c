using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>A policy as returned by the API server after we wrote it, to detect changes by others.</summary>
/// <param name="Spec">Its spec.</param>
/// <param name="Times">When we, or another replica, last wrote it.</param>
/// <remarks>
/// Field managers (<see href="https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management"/>) show who added or
/// changed a field, but nobody owns one that was removed. Then the spec differs, and the time of our last write does not; if another
/// replica has written a newer configuration, both do.
/// </remarks>
internal sealed record WrittenPolicy(string Spec, string Times)
{
    private const string Manager = PolicyController.FieldManager;

    /// <param name="policy">The response to our write.</param>
    public static WrittenPolicy Of(JsonObject policy) => new(SpecOf(policy), TimesOf(policy));

    /// <summary>Whether anyone else has changed the spec since.</summary>
    /// <param name="policy">The policy as it is now.</param>
    public bool IsChangedByAnother(JsonObject policy) => IsOfAnother(policy) || SpecOf(policy) != Spec && TimesOf(policy) == Times;

    /// <summary>Whether another field manager owns a field of the spec.</summary>
    public static bool IsOfAnother(JsonObject policy) => EntriesOf(policy).Any(entry => HasSpec(entry) && !IsOurs(entry));

    /// <summary>The entries of <c>managedFields</c> without those that give fields of the spec to others.</summary>
    public static JsonArray WithoutOthers(JsonObject policy) =>
        new([.. EntriesOf(policy).Where(entry => IsOurs(entry) || !HasSpec(entry)).Select(entry => entry.DeepClone())]);

    private static string SpecOf(JsonObject policy) => policy["spec"]?.ToJsonString() ?? "";

    private static string TimesOf(JsonObject policy) => string.Join(' ', EntriesOf(policy).Where(IsOurs).Select(entry => entry["time"]));

    private static IEnumerable<JsonObject> EntriesOf(JsonObject policy) =>
        (policy["metadata"]?["managedFields"] as JsonArray ?? []).OfType<JsonObject>();

    private static bool IsOurs(JsonObject entry) => entry.Text("manager") == Manager;

    private static bool HasSpec(JsonObject entry) => entry["fieldsV1"]?["f:spec"] is not null;
}
