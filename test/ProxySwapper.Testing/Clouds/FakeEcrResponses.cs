namespace ProxySwapper.Testing.Clouds;

/// <summary>A response of <see cref="FakeEcr"/>.</summary>
internal sealed record FakeEcrResponse(int Status, string Body);

/// <summary>Error responses of AWS, with its own texts.</summary>
internal static class FakeEcrResponses
{
    public static FakeEcrResponse AccessDenied(FakeEcrCall call) => AccessDenied(call, $"ecr:{call.Operation}");

    public static FakeEcrResponse AccessDenied(FakeEcrCall call, string action) =>
        Error(400, "AccessDeniedException", NotAuthorized(call.Principal, action, call.Resource), "Message");

    /// <summary>What AWS says about a missing permission.</summary>
    public static string NotAuthorized(AwsPrincipal principal, string action, string resource) =>
        $"User: {principal.Arn} is not authorized to perform: {action} on resource: {resource} "
        + $"because no identity-based policy allows the {action} action";

    public static FakeEcrResponse Throttling(FakeEcrCall call) => Error(400, "ThrottlingException", "Rate exceeded");

    public static FakeEcrResponse LimitExceeded(FakeEcrCall call) =>
        Error(
            400,
            "LimitExceededException",
            "The operation did not succeed because it would have exceeded a service limit for your account."
        );

    public static FakeEcrResponse Server(FakeEcrCall call) => Error(500, "ServerException", "Internal server error");

    public static FakeEcrResponse InvalidParameter(FakeEcrCall call) =>
        Error(
            400,
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        );

    public static FakeEcrResponse RepositoryNotFound(FakeEcrCall call) =>
        Error(
            400,
            "RepositoryNotFoundException",
            $"The repository with name '{call.Repository}' does not exist in the registry with id '{call.Principal.Account}'"
        );

    public static FakeEcrResponse RepositoryAlreadyExists(FakeEcrCall call) =>
        Error(
            400,
            "RepositoryAlreadyExistsException",
            $"The repository with name '{call.Repository}' already exists in the registry with id '{call.Principal.Account}'"
        );

    internal static FakeEcrResponse Error(int status, string code, string message, string key = "message") =>
        new(status, new System.Text.Json.Nodes.JsonObject { ["__type"] = code, [key] = message }.ToJsonString());
}
