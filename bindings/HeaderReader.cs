using System.Globalization;
using CppSharp.AST;
using CppSharp.AST.Extensions;

namespace DynNet.Native.Bindings;

/// <summary>
/// Reads CppSharp's syntax tree of the header into <see cref="NativeApi"/>, and refuses what the conventions forbid.
/// </summary>
internal static class HeaderReader
{
    /// <summary>Reads one header.</summary>
    /// <param name="unit">as parsed, before CppSharp's passes, which rename</param>
    public static NativeApi Read(TranslationUnit unit) => new(
        [.. unit.PreprocessedEntities.OfType<MacroDefinition>().Select(ReadConstant).OfType<NativeConstant>()],
        [.. InOrder(unit.Enums).Select(ReadEnum)],
        [.. InOrder(unit.Classes.Where(c => !c.IsIncomplete)).Select(ReadStruct)],
        [.. InOrder(unit.Typedefs.Where(t => IsOpaque(t.Type))).Select(t => new NativeOpaque(t.Name, Doc(t)))],
        [.. InOrder(unit.Typedefs.Where(t => FunctionOf(t.Type) is not null)).Select(ReadCallback)],
        [.. InOrder(unit.Functions).Select(ReadFunction)]);

    /// <summary>The order of the source, which the tree has for some kinds only.</summary>
    private static IEnumerable<T> InOrder<T>(IEnumerable<T> declarations) where T : Declaration =>
        declarations.OrderBy(d => d.LineNumberStart);

    private static NativeConstant? ReadConstant(MacroDefinition macro) =>
        macro.Name.StartsWith("DN_", StringComparison.Ordinal)
        && int.TryParse(macro.Expression, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value)
            ? new NativeConstant(macro.Name, value) : null;

    private static NativeEnum ReadEnum(Enumeration native) => new(native.Name, Doc(native),
        [.. native.Items.Select(i => new NativeEnumItem(i.Name, unchecked((int)i.Value), Doc(i)))]);

    private static NativeStruct ReadStruct(Class native) => new(native.Name, native.Layout.Size, Doc(native),
    [
        .. native.Fields.Select(field =>
        {
            int offset = (int)native.Layout.Fields.First(f => f.Name == field.OriginalName).Offset;
            return field.Type is ArrayType array
                ? new NativeField(field.Name, Type(array.QualifiedType, field), (int)array.Size, offset, Doc(field))
                : new NativeField(field.Name, Type(field.QualifiedType, field), 0, offset, Doc(field));
        }),
    ]);

    private static NativeCallback ReadCallback(TypedefNameDecl typedef)
    {
        FunctionType function = FunctionOf(typedef.Type)!;
        return new NativeCallback(
            typedef.Name, Type(function.ReturnType, typedef), Parameters(function.Parameters, typedef), Doc(typedef));
    }

    private static NativeFunction ReadFunction(Function function)
    {
        if (function.IsVariadic)
            throw Error(function, "a function takes a fixed number of arguments");
        return new NativeFunction(function.Name, Type(function.ReturnType, function),
            Parameters(function.Parameters, function), Doc(function), function.LineNumberStart);
    }

    private static NativeParameter[] Parameters(IEnumerable<Parameter> parameters, Declaration owner) =>
    [
        .. parameters.Select(p => p.Name.Length > 0
            ? new NativeParameter(p.Name, Type(p.QualifiedType, owner))
            : throw Error(owner, "every parameter has a name")),
    ];

    private static CType Type(QualifiedType type, Declaration owner) => type.Type switch
    {
        // Typedefs first: they carry the names, such as int32_t, that the desugared types have lost.
        TypedefType { Declaration: var typedef } when CNamed.Scalars.ContainsKey(typedef.Name) =>
            new CNamed(typedef.Name, CTypeKind.Scalar),
        TypedefType { Declaration: var typedef } when FunctionOf(typedef.Type) is not null =>
            new CNamed(typedef.Name, CTypeKind.Callback),
        TypedefType { Declaration: var typedef } when typedef.Type is TagType => Type(typedef.QualifiedType, owner),
        BuiltinType { Type: PrimitiveType.Void } => new CNamed("void", CTypeKind.Scalar),
        BuiltinType { Type: PrimitiveType.Char } => new CNamed("char", CTypeKind.Scalar),
        BuiltinType { Type: PrimitiveType.Float } => new CNamed("float", CTypeKind.Scalar),
        BuiltinType { Type: PrimitiveType.Double } => new CNamed("double", CTypeKind.Scalar),
        TagType { Declaration: Enumeration declaration } => new CNamed(declaration.Name, CTypeKind.Enum),
        TagType { Declaration: Class declaration } => new CNamed(
            declaration.Name, declaration.IsIncomplete ? CTypeKind.Opaque : CTypeKind.Struct),
        PointerType pointer when pointer.Pointee is not FunctionType => new CPointer(
            Type(pointer.QualifiedPointee, owner), pointer.QualifiedPointee.Qualifiers.IsConst),
        _ => throw Error(owner, $"the type {type.Type} is none that the conventions allow; callbacks need a typedef"),
    };

    private static bool IsOpaque(CppSharp.AST.Type type) =>
        type is TagType { Declaration: Class { IsIncomplete: true } };

    private static FunctionType? FunctionOf(CppSharp.AST.Type type) =>
        (type.Desugar() as PointerType)?.Pointee as FunctionType;

    private static DocComment Doc(Declaration declaration) =>
        DocComment.Read(declaration.Comment?.Text, declaration.LineNumberStart);

    private static HeaderException Error(Declaration declaration, string message) =>
        new(declaration.LineNumberStart, $"{declaration.Name}: {message}");
}
