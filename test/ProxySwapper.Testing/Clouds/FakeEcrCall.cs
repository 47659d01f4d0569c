using System.Text.Json.Nodes;

namespace ProxySwapper.Testing.Clouds;

/// <summary>A call that <see cref="FakeEcr"/> got, rightly signed.</summary>
/// <param name="Operation">For instance <c>CreateRepository</c>.</param>
/// <param name="Region">The region that it was signed for.</param>
/// <param name="Principal">Who signed it.</param>
/// <param name="Body">What it asks for.</param>
internal sealed record FakeEcrCall(string Operation, string Region, AwsPrincipal Principal, JsonObject Body)
{
    /// <summary>The repository that it is about; null when it is about none.</summary>
    public string? Repository => (string?)Body["repositoryName"] ?? (string?)Body["repositoryNames"]?[0];

    public string Resource => Repository is null ? "*" : ArnOf(Repository);

    public string ArnOf(string repository) => $"arn:aws:ecr:{Region}:{Principal.Account}:repository/{repository}";
}
