using System.Text.Json.Nodes;

namespace ProxySwapper.Testing.Clouds;

/// <summary>A correctly signed call of <see cref="FakeEcr"/>.</summary>
/// <param name="Operation">Such as <c>CreateRepository</c>.</param>
/// <param name="Region">The region it was signed for.</param>
/// <param name="Principal">Who signed it.</param>
/// <param name="Body">The request.</param>
internal sealed record FakeEcrCall(string Operation, string Region, AwsPrincipal Principal, JsonObject Body)
{
    /// <summary>The repository in the request, or null.</summary>
    public string? Repository => (string?)Body["repositoryName"] ?? (string?)Body["repositoryNames"]?[0];

    public string Resource => Repository is null ? "*" : ArnOf(Repository);

    public string ArnOf(string repository) => $"arn:aws:ecr:{Region}:{Principal.Account}:repository/{repository}";
}
