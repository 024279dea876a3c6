using System.Collections.ObjectModel;

namespace DynNet.Native.Interop;

/// <summary>
/// The parameters of a model, or its tables, as last seen. There are only ever more, so each is asked for once.
/// </summary>
/// <param name="isMember">Of what is asked for, what belongs here.</param>
internal sealed class Members<T>(Predicate<T> isMember)
{
    // Replaced as a whole: threads that read a model at once may each ask for what is new, and see the same.
    private Seen _seen = new(0, ReadOnlyCollection<T>.Empty);

    /// <summary>The members: one list until there is more to ask for.</summary>
    /// <param name="count">How many there are to ask for.</param>
    /// <param name="at">Asks for one.</param>
    internal ReadOnlyCollection<T> Read(long count, Func<long, T> at)
    {
        Seen seen = _seen;
        if (count == seen.Count)
            return seen.Members;
        List<T> members = [.. seen.Members];
        for (long i = seen.Count; i < count; i++)
        {
            T candidate = at(i);
            if (isMember(candidate))
                members.Add(candidate);
        }
        _seen = seen = new Seen(count, members.AsReadOnly());
        return seen.Members;
    }

    private sealed record Seen(long Count, ReadOnlyCollection<T> Members);
}
