using System.Runtime.CompilerServices;

// Every extern passes blittable types as they are: nothing is marshalled, and the compiler proves it.
[assembly: DisableRuntimeMarshalling]
