# The verbs of build.sh on PowerShell, but for guard, over the same CMake presets and MSBuild targets. It installs
# nothing, and has not been tested.
param([string] $Verb = 'help', [Parameter(ValueFromRemainingArguments)] [string[]] $Rest = @())
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot
$artifacts = Join-Path $root 'artifacts'
# Unset unless a verb asks for it, else CMake would remember it from an earlier build.
$warnings = '-UDYNNET_WARNINGS_AS_ERRORS'

function Invoke-Checked([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

function Build-Native([string] $Preset, [string] $Target, [string[]] $Options = @()) {
    Push-Location (Join-Path $root 'native')
    try { Invoke-Checked cmake (@('--preset', $Preset, $warnings) + $Options) } finally { Pop-Location }
    Invoke-Checked cmake @('--build', "$artifacts/native/$Preset", '--target', $Target)
}

function Build-Managed([string] $Project) {
    Invoke-Checked dotnet @('build', (Join-Path $root $Project), '-c', 'Release', '-nologo')
}

switch ($Verb) {
    'build' {
        Build-Native release dynnet
        Build-Managed 'src/DynNet.Native'
    }
    'test' {
        $preset = 'release'
        if ($Rest.Count -eq 2 -and $Rest[0] -eq '--sanitize') {
            $preset = @{ address = 'asan'; thread = 'tsan' }[$Rest[1]]
        }
        $warnings = '-DDYNNET_WARNINGS_AS_ERRORS=ON'
        Build-Native $preset all @('-DDYNNET_BUILD_TESTS=ON', '-DDYNNET_BUILD_BENCHMARKS=ON')
        Invoke-Checked "$artifacts/native/$preset/dynnet_tests" @('--gtest_brief=1')
        if ($preset -eq 'release') {
            Invoke-Checked dotnet @('test', (Join-Path $root 'DynNet.Native.sln'), '-c', 'Release', '-nologo',
                '-p:DYNNET_WARNINGS_AS_ERRORS=ON')
        }
    }
    'demo' {
        # There is no apt here to fetch the dictionary with: name a file, unless --pronounce needs none.
        Build-Native release dynnet
        Build-Managed 'src/samples/pronounce.cs'
        $Rest = $Rest | ForEach-Object { if (Test-Path $_ -PathType Leaf) { (Resolve-Path $_).Path } else { $_ } }
        New-Item -ItemType Directory -Force "$artifacts/demo" | Out-Null
        Push-Location "$artifacts/demo"
        try { Invoke-Checked "$artifacts/samples/pronounce/bin/release/pronounce" $Rest } finally { Pop-Location }
    }
    'bench' {
        Build-Native release dynnet
        Build-Managed 'tests/benchmarks'
        Invoke-Checked "$artifacts/bin/Benchmarks/release/Benchmarks" $Rest
    }
    'bindings' {
        $options = @('run', '--project', (Join-Path $root 'bindings'), '-c', 'Release')
        if ($env:CPPSHARP_DIR) { $options += "-p:CPPSHARP_DIR=$env:CPPSHARP_DIR" }
        Push-Location $root
        try { Invoke-Checked dotnet $options } finally { Pop-Location }
    }
    'parity' {
        Build-Native release dynnet_tests @('-DDYNNET_BUILD_TESTS=ON')
        $env:DYNNET_WRITE_PARITY = '1'
        Invoke-Checked "$artifacts/native/release/dynnet_tests" @('--gtest_filter=Parity.DocumentSaysWhatTheTablesSay')
    }
    'pack' {
        Build-Native release dynnet
        Invoke-Checked dotnet @('pack', (Join-Path $root 'src/DynNet.Native'), '-c', 'Release', '-nologo')
    }
    'clean' { if (Test-Path $artifacts) { Remove-Item -Recurse -Force $artifacts } }
    'help' { 'usage: ./build.ps1 build | test | demo | bench | bindings | parity | pack | clean | help' }
    default { throw "there is no verb '$Verb'" }
}
