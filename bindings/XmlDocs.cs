using System.Globalization;
using System.Text.RegularExpressions;

namespace DynNet.Native.Bindings;

/// <summary>Turns the header's comments into XML documentation lines, without their slashes.</summary>
internal sealed partial class XmlDocs(NativeApi api)
{
    /// <summary>The documentation of an extern: the header's own words.</summary>
    public static IEnumerable<string> Native(DocComment doc, int indent)
    {
        List<string> lines = [.. Element("summary", Plain(doc.Text), indent)];
        foreach ((string name, string text) in doc.Named("param"))
            lines.AddRange(Parameter(name, text, indent));
        if (doc.Single("returns") is { } returns)
            lines.AddRange(Element("returns", $"Out: {Plain(returns)}.", indent));
        foreach ((_, string text) in doc.Tags.Where(t => t.Tag == "throws"))
            lines.AddRange(Element("remarks", $"Fails with {Plain(text)}.", indent));
        return lines;
    }

    /// <summary>The summary alone.</summary>
    public static IEnumerable<string> Summary(string text, int indent) => Element("summary", Plain(text), indent);

    /// <summary>A parameter alone.</summary>
    public static IEnumerable<string> Parameter(string name, string text, int indent) =>
        Element($"param name=\"{name}\"", Sentence(Plain(text)), indent);

    /// <summary>The documentation of a public method, in the words of C#.</summary>
    /// <param name="parameters">those of the overload, in the order of C#</param>
    public IEnumerable<string> Operation(Operation operation, IReadOnlyList<OperationParameter> parameters, int indent)
    {
        string Public(string text) => Translate(text, operation);

        (string first, string rest) = SplitFirstSentence(operation.Function.Doc.Text);
        List<string> lines = [.. Element("summary", Public(first), indent)];
        if (rest.Length > 0)
            lines.AddRange(Element("remarks", Public(rest), indent));

        foreach (OperationParameter parameter in parameters)
        {
            string text = parameter.Doc ?? DefaultDoc(parameter.Role);
            string optional = parameter.Default is { } value ? $"; the default is {Value(parameter, value)}" : "";
            lines.AddRange(Element($"param name=\"{parameter.Name}\"", Sentence(Public(text) + optional), indent));
        }

        string returns = operation.Function.Doc.Single("returns")
            ?? throw new HeaderException(operation.Function.Place, $"{operation.Function.Name}: @returns is missing");
        lines.AddRange(Element("returns", Sentence(Public(ReturnsOneParameter(operation, returns))), indent));

        foreach ((string exception, string text) in Exceptions(operation, parameters))
            lines.AddRange(Element($"exception cref=\"{exception}\"", Sentence(Public(text)), indent));
        return lines;
    }

    private static IEnumerable<(string Exception, string Text)> Exceptions(
        Operation operation, IReadOnlyList<OperationParameter> parameters)
    {
        if (parameters.Any(p => p.Role is Role.Parameter or Role.LookupParameter))
            yield return ("ArgumentNullException", "the parameter is null");
        foreach ((_, string text) in operation.Function.Doc.Tags.Where(t => t.Tag == "throws"))
            foreach (string one in text.Split("; "))
            {
                string[] parts = one.Split(' ', 2);
                if (parts.Length < 2)
                    throw new HeaderException(operation.Function.Place, $"@throws {one}: say when");
                // An overload without a parameter cannot be called with a wrong one.
                if (Code().Matches(parts[1]).Any(code =>
                    operation.Parameters.Any(p => p.Native.Name == code.Groups[1].Value && !parameters.Contains(p))))
                    continue;
                string when = parts[1].StartsWith("if ", StringComparison.Ordinal) ? parts[1][3..] : parts[1];
                yield return (Names.Exception(parts[0]), when);
            }

        bool isList = parameters.Any(p => p.Role is Role.Expressions);
        bool areSeveral = isList || operation.Operands.Count() > 1;
        if (areSeveral || CanHaveAWrongShape(operation))
            yield return ("ShapeMismatchException", areSeveral ? "the shapes do not fit" : "the shape does not fit");
        if (operation.HasOperands)
        {
            yield return ("StaleExpressionException",
                "an operand is of another graph, or of before a renewal or revert, or was never made");
            yield return ("ArgumentException", isList
                ? "there are no operands, or none names a graph: all are parameters"
                : areSeveral
                    ? "no operand names a graph: all are parameters"
                    : "the operand is a parameter, which names no graph");
        }
        yield return ("ObjectDisposedException", parameters.Any(p => p.Role is Role.Parameter or Role.LookupParameter)
            ? "the graph or the parameter's model is disposed"
            : areSeveral
                ? "the graph is disposed, or the model of a parameter that is an operand"
                : "the graph is disposed");
    }

    /// <summary>
    /// Whether a shape can be wrong where there is at most one operand: where a comment says of what shape that is, or
    /// where a given shape has to fit it, or the numbers of a tensor that are given without their places.
    /// </summary>
    private static bool CanHaveAWrongShape(Operation operation) =>
        operation.Operands.Any(p => p.Doc is not null)
        || (operation.HasOperands && operation.Parameters.Any(p => p.Role is Role.Dim))
        || (operation.Parameters.Any(p => p.Role is Role.Floats)
            && operation.Parameters.All(p => p.Role is not Role.Indices));

    private static string DefaultDoc(Role role) => role switch
    {
        Role.Expression => "any shape",
        Role.Expressions => "the operands",
        Role.Dim => "the shape",
        Role.Floats => "the values, column-major",
        Role.Indices => "the indices",
        Role.Parameter => "the parameter",
        Role.LookupParameter => "the table",
        _ => "the number",
    };

    /// <summary>A default as C# says it.</summary>
    private string Value(OperationParameter parameter, string value) => parameter.Role switch
    {
        Role.Enum => Glued($"<see cref=\"{api.EnumItem(parameter.Enum!, value)}\"/>"),
        Role.Flag => Glued($"<see langword=\"{(value == "0" ? "false" : "true")}\"/>"),
        Role.Indices => "none",
        _ => value,
    };

    /// <summary>"@returns dim" means the shape that the parameter dim says.</summary>
    private static string ReturnsOneParameter(Operation operation, string text) =>
        operation.Parameters.Any(p => p.Native.Name == text) ? $"an expression of the shape `{text}`" : text;

    /// <summary>
    /// C names become C# names, in `code` or not; other `code` becomes a reference to a parameter, or code.
    /// </summary>
    private string Translate(string text, Operation operation)
    {
        string Name(string native) =>
            api.Operations.FirstOrDefault(o => o.Function.Name == native)?.CSharpName ?? native;
        OperationParameter? Named(Match match) =>
            operation.Parameters.FirstOrDefault(p => p.Native.Name == match.Groups[1].Value);

        text = OperationName().Replace(Escape(text), match => $"<c>{Name(match.Groups[1].Value)}</c>");
        text = FunctionName().Replace(text, match => $"<c>{ClassOf(match)}.{Names.Pascal(match.Groups[3].Value)}</c>");
        foreach (NativeEnum native in api.Enums.Where(e => e.IsPublic(api)))
            text = Regex.Replace(text, $@"\b{native.Name}\b", Glued($"<see cref=\"{native.CSharp(api)}\"/>"));
        text = StatusName().Replace(text, match => Glued($"<see cref=\"{Names.Exception(match.Value)}\"/>"));
        text = CountName().Replace(text, match =>
            Named(match) is { } array ? $"<c>{array.Name}.Length</c>" : match.Value);
        text = Code().Replace(text, match => Named(match) is { } parameter
            ? Reference(parameter) : $"<c>{match.Groups[1].Value}</c>");
        // What is written without marks is told from a word by its underscores.
        foreach (OperationParameter parameter in operation.Parameters.Where(p => p.Native.Name.Contains('_')))
            text = Regex.Replace(text, $@"\b{parameter.Native.Name}\b", Reference(parameter));
        return text;
    }

    private static string Reference(OperationParameter parameter) => Glued($"<paramref name=\"{parameter.Name}\"/>");

    private static string Glued(string tag) => tag.Replace(' ', TextLines.Glue);

    /// <summary>Where C# has a function: what a graph does with one expression is a member of Expression.</summary>
    private string ClassOf(Match function) =>
        api.Functions.FirstOrDefault(f => f.Name == function.Groups[1].Value)
            is { Parameters: [_, { Type: var second }, ..] }
        && second.Is("dn_expr") ? "Expression" : Names.Class(function.Groups[2].Value);

    private static (string First, string Others) SplitFirstSentence(string text)
    {
        Match end = SentenceEnd().Match(text);
        return end.Success ? (text[..(end.Index + 1)], text[(end.Index + 1)..].Trim()) : (text, "");
    }

    /// <summary>A phrase with a capital and a full stop; a symbol such as the b in "b {m}, then ..." stays.</summary>
    private static string Sentence(string text)
    {
        string first = text.Split(' ', 2)[0];
        bool symbol = first.Length == 1 && first != "a";
        string start = symbol || !char.IsLower(text[0])
            ? text : char.ToUpper(text[0], CultureInfo.InvariantCulture) + text[1..];
        return start.EndsWith('.') ? start : start + ".";
    }

    /// <summary>The header's own words: `code` becomes code, and nothing else changes.</summary>
    private static string Plain(string text) => Code().Replace(Escape(text), "<c>$1</c>");

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    /// <summary>An element on one line where it fits, else its text on lines of its own between its tags.</summary>
    private static IEnumerable<string> Element(string tag, string text, int indent)
    {
        int width = TextLines.Width - indent - "/// ".Length;
        string close = $"</{tag.Split(' ')[0]}>";
        string one = $"<{tag}>{text}{close}".Replace(TextLines.Glue, ' ');
        return one.Length <= width ? [one] : [$"<{tag}>", .. TextLines.Fill(text, width), close];
    }

    [GeneratedRegex(@"`?\b(dn_op_\w+)`?")]
    private static partial Regex OperationName();

    [GeneratedRegex(@"`?\b(dn_(graph|model|trainer|lstm|gradients|lookup_parameter|parameter)_(\w+))`?")]
    private static partial Regex FunctionName();

    [GeneratedRegex(@"\bDN_E_\w+")]
    private static partial Regex StatusName();

    [GeneratedRegex(@"\b(\w+)_count\b")]
    private static partial Regex CountName();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"(?<=[\w)\]}])\.\s+(?=[A-Z])")]
    private static partial Regex SentenceEnd();
}
