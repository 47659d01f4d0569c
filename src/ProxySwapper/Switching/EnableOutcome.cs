namespace ProxySwapper.Switching;

internal enum EnableOutcome
{
    PutBack,
    WasInPlace,
}
