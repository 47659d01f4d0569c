using System.Globalization;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Reporting;

/// <summary>
/// Docker Hub's pull limit, with which a cold start is compared: the one that Docker Hub reported to this machine, else the documented one
/// (<see href="https://docs.docker.com/docker-hub/usage/">Docker Hub usage and limits</see>).
/// </summary>
/// <param name="Reported">The response of Docker Hub; null if it was not queried, or named no limit.</param>
internal sealed record PullLimit(RateLimitStatus? Reported)
{
    /// <summary>Documented pulls in a window without a login, by address.</summary>
    public const int Anonymous = 100;

    /// <summary>Documented pulls in a window of a free account.</summary>
    public const int FreeAccount = 200;

    /// <summary>The documented window.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(6);

    /// <summary>The limit that the registries' responses show.</summary>
    /// <param name="limits">The last responses of hosts.</param>
    public static PullLimit Of(IReadOnlyDictionary<RegistryName, RateLimitStatus> limits) =>
        new(limits.GetValueOrDefault(RegistryName.DockerHub));

    /// <summary>Compares a cold start with the limit.</summary>
    /// <param name="least">Its pulls from Docker Hub, at least.</param>
    /// <param name="most">Its pulls, at most.</param>
    public string Compare(int least, int most)
    {
        var pulls = ReportMessages.Range(least, most);
        if (Reported is not { } reported)
            return $"Docker Hub documents {Anonymous} pulls in 6 hours without a login, {FreeAccount} with a free account: "
                + (
                    most > FreeAccount ? $"{pulls} exceed both."
                    : most > Anonymous ? $"{pulls} exceed the first."
                    : $"{pulls} {(pulls == "1" ? "is" : "are")} within both."
                );
        var left = reported.Limit is { } limit
            ? $"{reported.Remaining} of {CountFormat.Format(limit, "pull")}"
            : CountFormat.Format(reported.Remaining, "pull");
        var window = reported.Window is { } length
            ? string.Create(CultureInfo.InvariantCulture, $" in {length.TotalHours:0.#} {(length.TotalHours == 1 ? "hour" : "hours")}")
            : "";
        var (are, them) = reported.Remaining == 1 ? ("is", "it") : ("are", "them");
        return $"Docker Hub reports that {left}{window} {are} left for this machine: "
            + (
                most > reported.Remaining
                    ? $"{pulls} {(pulls == "1" ? "exceeds" : "exceed")} {them}."
                    : $"{pulls} {(pulls == "1" ? "is" : "are")} within {them}."
            );
    }
}
