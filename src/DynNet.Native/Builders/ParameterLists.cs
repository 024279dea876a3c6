namespace DynNet.Native;

/// <summary>The parameters of builders.</summary>
internal static class ParameterLists
{
    /// <summary>A matrix, with the first values of DyNet's.</summary>
    internal static Parameter Matrix(Model model, int rows, int columns) => model.AddParameters([rows, columns]);

    /// <summary>A vector of one number.</summary>
    internal static Parameter Vector(Model model, int size, double value = 0) =>
        model.AddParameters([size], Initializer.Constant(value));

    internal static IReadOnlyList<IReadOnlyList<T>> AsReadOnly<T>(T[][] lists) =>
        Array.AsReadOnly<IReadOnlyList<T>>([.. lists.Select(Array.AsReadOnly)]);

    /// <summary>The rows of so many gates of one size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are more than a shape can have.</exception>
    internal static int Rows(int gates, int hidden) => hidden <= int.MaxValue / gates
        ? gates * hidden
        : throw new ArgumentOutOfRangeException(
            nameof(hidden), hidden, $"h of {hidden} in {gates} gates: it can be {int.MaxValue / gates} at most.");

    /// <summary>Throws unless one builder can copy the other.</summary>
    /// <exception cref="ArgumentException">They are of different kinds.</exception>
    internal static void CheckKind(object from, object to)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.GetType() != to.GetType())
        {
            throw new ArgumentException(
                $"A {to.GetType().Name} cannot copy the parameters of a {from.GetType().Name}.", nameof(from));
        }
    }

    /// <summary>Copies values, all or none.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    internal static void Copy(Parameter[] from, Parameter[] to) => Copy(from, to, [], []);

    /// <summary>Copies values of parameters and tables, all or none.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    internal static void Copy(
        Parameter[] from, Parameter[] to, LookupParameter[] fromTables, LookupParameter[] toTables)
    {
        if (!from.Select(parameter => parameter.Dim).SequenceEqual(to.Select(parameter => parameter.Dim))
            || !fromTables.Select(table => (table.Rows, table.Dim))
                .SequenceEqual(toTables.Select(table => (table.Rows, table.Dim))))
        {
            throw new ArgumentException(
                $"The parameters have other shapes: {string.Join(", ", from.Concat<object>(fromTables))}; "
                + $"expected {string.Join(", ", to.Concat<object>(toTables))}.",
                nameof(from));
        }
        // What throws if a model is disposed, or a parameter gone, throws before anything is written.
        foreach (Parameter parameter in from.Concat(to))
            _ = parameter.Values;
        foreach (LookupParameter table in fromTables.Concat(toTables))
            _ = table.Values;
        for (int i = 0; i < from.Length; i++)
            to[i].SetValues(from[i].Values);
        for (int i = 0; i < fromTables.Length; i++)
            toTables[i].SetValues(fromTables[i].Values);
        // Spans do not keep what they show.
        GC.KeepAlive(from);
        GC.KeepAlive(fromTables);
    }
}
