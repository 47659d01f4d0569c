using System.Globalization;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// All objects and their history: each change has a number, which is the resource version. Returned objects must not be modified.
/// </summary>
internal sealed class ObjectStore(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<StoredChange> _changes = [];
    private TaskCompletionSource _change = New();
    private long _version = 1;
    private long _oldest;

    /// <summary>The objects of a selection, and the resource version of that list.</summary>
    public (IReadOnlyList<JsonObject> Objects, long Version) List(Selection selection)
    {
        lock (_gate)
        {
            var prefix = selection.Collection + "|";
            return (
                [
                    .. _objects
                        .Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
                        .Select(pair => pair.Value)
                        .Where(selection.IsMatch),
                ],
                _version
            );
        }
    }

    public JsonObject? Find(ApiPath path)
    {
        lock (_gate)
            return _objects.GetValueOrDefault(KeyOf(path));
    }

    /// <summary>Stores a new object; <paramref name="isDryRun"/> only returns what would be stored.</summary>
    public JsonObject Create(ApiPath path, JsonObject body, bool isDryRun)
    {
        lock (_gate)
        {
            if (_objects.ContainsKey(KeyOf(path)))
                throw new ApiException(StatusCodes.Status409Conflict, "AlreadyExists", $"{path.Resource} \"{path.Name}\" already exists");
            var stored = (JsonObject)body.DeepClone();
            var metadata = stored["metadata"]!.AsObject();
            metadata["uid"] = Guid.NewGuid().ToString();
            metadata["creationTimestamp"] = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
            return isDryRun ? stored : Store(path, null, stored);
        }
    }

    /// <summary>Replaces an object by the result of <paramref name="change"/>.</summary>
    public JsonObject Update(ApiPath path, Func<JsonObject, JsonObject> change, bool isDryRun)
    {
        lock (_gate)
        {
            var old = _objects.GetValueOrDefault(KeyOf(path)) ?? throw ApiException.NotFound(path);
            var changed = change(old);
            var (before, after) = (old["metadata"]!, changed["metadata"]!);
            if ((string?)after["uid"] is { } uid && uid != (string?)before["uid"])
                throw ApiException.Conflict($"Precondition failed: UID in precondition: {uid}, UID in object meta: {before["uid"]}");
            if ((string?)after["resourceVersion"] is { Length: > 0 } seen && seen != (string?)before["resourceVersion"])
                throw ApiException.Conflict($"the object has been modified: it is at {before["resourceVersion"]}, not at {seen}");
            after["uid"] = (string?)before["uid"];
            after["creationTimestamp"] = (string?)before["creationTimestamp"];
            if (JsonNode.DeepEquals(old, changed) || isDryRun)
                return changed;
            return Store(path, old, changed);
        }
    }

    /// <summary>Removes an object, checking uid and resource version if given.</summary>
    public JsonObject Delete(ApiPath path, string? uid, string? version)
    {
        lock (_gate)
        {
            var old = _objects.GetValueOrDefault(KeyOf(path)) ?? throw ApiException.NotFound(path);
            if (uid is not null && uid != (string?)old["metadata"]!["uid"])
                throw ApiException.Conflict($"Precondition failed: UID in precondition: {uid}");
            if (version is not null && version != (string?)old["metadata"]!["resourceVersion"])
                throw ApiException.Conflict($"the ResourceVersion in the precondition ({version}) does not match");
            _objects.Remove(KeyOf(path));
            Record(new StoredChange(++_version, path.Collection, old, null));
            return old;
        }
    }

    /// <summary>The changes of one kind after a version, with a token for more; null if that history was dropped.</summary>
    public (IReadOnlyList<StoredChange> Changes, long Version, Task Next)? ChangesAfter(string collection, long version)
    {
        lock (_gate)
        {
            if (version < _oldest)
                return null;
            return ([.. _changes.Where(change => change.Version > version && change.Collection == collection)], _version, _change.Task);
        }
    }

    /// <summary>Drops the history, like a restarted server: watchers from earlier versions have to list again.</summary>
    public void ForgetChanges()
    {
        lock (_gate)
        {
            _oldest = ++_version;
            _changes.Clear();
        }
    }

    private JsonObject Store(ApiPath path, JsonObject? old, JsonObject stored)
    {
        stored["metadata"]!["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
        _objects[KeyOf(path)] = stored;
        Record(new StoredChange(_version, path.Collection, old, stored));
        return stored;
    }

    private void Record(StoredChange change)
    {
        _changes.Add(change);
        Interlocked.Exchange(ref _change, New()).TrySetResult();
    }

    private static string KeyOf(ApiPath path) => $"{path.Collection}|{path.Namespace}|{path.Name}";

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>One change of one object.</summary>
/// <param name="Version">The resulting resource version.</param>
/// <param name="Collection">The kind of object.</param>
/// <param name="Old">The previous object, or null.</param>
/// <param name="New">The new object, or null.</param>
internal sealed record StoredChange(long Version, string Collection, JsonObject? Old, JsonObject? New);
