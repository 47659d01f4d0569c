namespace ProxySwapper.Admission;

/// <summary>
/// The parts of an admission review that the response depends on
/// (<see href="https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request"/>).
/// </summary>
internal sealed class AdmissionReview
{
    /// <summary><c>admission.k8s.io/v1</c> or <c>v1beta1</c>; the response uses the same.</summary>
    public string ApiVersion { get; set; } = "";
    public bool HasRequest { get; set; }
    public string Uid { get; set; } = "";
    public string Kind { get; set; } = "";
    public string Namespace { get; set; } = "";
    public string Operation { get; set; } = "";
    public string SubResource { get; set; } = "";
    public bool IsDryRun { get; set; }
    public PodSummary? Object { get; set; }
    public PodSummary? OldObject { get; set; }

    /// <summary>The Pod's name, or its <c>generateName</c>.</summary>
    public string PodName =>
        Object is null ? ""
        : Object.Name.Length > 0 ? Object.Name
        : Object.GenerateName;

    /// <summary>How many characters it keeps in memory: anyone can send long ones.</summary>
    public long TextLength =>
        ApiVersion.Length
        + Uid.Length
        + Kind.Length
        + Namespace.Length
        + Operation.Length
        + SubResource.Length
        + (Object?.TextLength ?? 0)
        + (OldObject?.TextLength ?? 0);
}
