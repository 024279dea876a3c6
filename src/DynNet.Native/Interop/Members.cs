using System.Collections.ObjectModel;

namespace DynNet.Native.Interop;

/// <summary>
/// The parameters of a model, or its tables, as last seen. Unless some were taken back, there are only ever more, so
/// each is asked for once.
/// </summary>
/// <param name="isMember">Of what is asked for, what belongs here.</param>
internal sealed class Members<T>(Predicate<T> isMember)
{
    // Replaced as a whole: threads that read a model at once may each ask for what is new, and see the same.
    private Seen _seen = new(0, 0, ReadOnlyCollection<T>.Empty);

    /// <summary>The members: one list until there is more to ask for, or some were taken back.</summary>
    /// <param name="generation">How often some were taken back.</param>
    /// <param name="count">How many there are to ask for.</param>
    /// <param name="at">Asks for one.</param>
    internal ReadOnlyCollection<T> Read(int generation, long count, Func<long, T> at)
    {
        Seen seen = _seen;
        if (seen.Generation != generation)
            seen = new Seen(generation, 0, ReadOnlyCollection<T>.Empty);
        if (count == seen.Count)
            return seen.Members;
        List<T> members = [.. seen.Members];
        for (long i = seen.Count; i < count; i++)
        {
            T candidate = at(i);
            if (isMember(candidate))
                members.Add(candidate);
        }
        _seen = seen = new Seen(generation, count, members.AsReadOnly());
        return seen.Members;
    }

    private sealed record Seen(int Generation, long Count, ReadOnlyCollection<T> Members);
}
